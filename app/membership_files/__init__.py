"""Reading the files in which an association's members are kept elsewhere.

`opening.open_file` finds out what a file is and gives its rows as text, one after the other;
`mapping` says which column is what; `reading` makes of each row what the product knows, or says why
not, and adds up who stands there twice; `reports` writes it down so that it can be corrected and
sent again. Nothing here knows a database, and nothing is held in memory that grows with the file,
save some 150 bytes for each address. All of it blocks: call it in a thread (`opening.batches`).
"""
