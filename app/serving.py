"""The application as uvicorn imports it when it runs several processes."""

from app.main import create_app

app = create_app(worker=False)
