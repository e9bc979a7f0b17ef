"""What `cop` does beyond running the server: files of memberships in and out.

Against this machine's database the commands act as its operator, through the services; against a
server on the web as whoever the token belongs to, through the API. Both show the same.
"""
