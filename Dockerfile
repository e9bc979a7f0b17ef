# The server, the worker and the command line in one image. Packages come from the hash-locked list;
# the second stage has neither pip's cache nor anything that was needed to build.

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/run.txt ./
RUN python -m venv /opt/cop \
    && /opt/cop/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r run.txt \
    && /opt/cop/bin/pip uninstall --yes pip setuptools \
    && printf '#!/bin/sh\nexec /opt/cop/bin/python -m app "$@"\n' > /opt/cop/bin/cop \
    && chmod 755 /opt/cop/bin/cop

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin cop \
    && install --directory --owner cop --group cop --mode 0700 /data
COPY --from=build /opt/cop /opt/cop
COPY app /opt/cop/source/app
# Compiled while it may be written to: the process itself may not write here.
RUN /opt/cop/bin/python -m compileall -q /opt/cop/source/app
ENV PATH=/opt/cop/bin:$PATH \
    PYTHONPATH=/opt/cop/source \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    COP_DATA_DIR=/data \
    COP_HOST=0.0.0.0 \
    COP_PORT=8000
USER cop
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"COP_PORT\"]}/health/ready', timeout=4)"]
CMD ["cop", "serve"]
