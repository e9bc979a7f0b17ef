"""The application: its routers in one tuple, its edge, its life."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import edge, logs, openapi, settings
from app.db import Database
from app.dispatch import Dispatch
from app.jobs import Worker
from app.routers import (
    access_tokens,
    association,
    audit,
    auth,
    ballots,
    communities,
    community_proposals,
    discussions,
    documentation,
    elections,
    eligibility,
    grants,
    health,
    invitations,
    join_forms,
    join_requests,
    leadership_health,
    membership_exports,
    membership_import_mappings,
    membership_imports,
    memberships,
    nominations,
    pages,
    partners,
    people,
    positions,
    posts,
    provisioned_groups,
    provisioned_users,
    provisioning,
    reviews,
    rules,
    seats,
    subcommittees,
    succession,
    terms,
)

# What can be called, the busiest first: a path is looked for in this order.
ROUTERS = (
    discussions.router,
    posts.router,
    communities.router,
    people.me,
    association.router,
    grants.router,
    positions.router,
    rules.router,
    auth.router,
    auth.me,
    access_tokens.me,
    community_proposals.me,
    community_proposals.router,
    join_requests.router,
    invitations.router,
    join_forms.router,
    membership_exports.router,
    membership_imports.router,
    membership_import_mappings.router,
    memberships.router,
    eligibility.router,
    terms.router,
    seats.router,
    subcommittees.router,
    succession.router,
    leadership_health.router,
    elections.router,
    nominations.router,
    ballots.router,
    reviews.router,
    people.router,
    access_tokens.router,
    partners.router,
    provisioned_users.router,
    provisioned_groups.router,
    provisioning.router,
    audit.router,
    health.router,
    documentation.router,
    pages.router,
)


def create_app(database: Database | None = None, *, worker: bool = False) -> edge.Edge:
    """The application on a database; with `worker`, jobs run beside it in this process."""
    current = settings.get()
    logs.configure(current.log_level, current.development)
    database = database or Database(current.database, current.database_pool_size)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        beside = Worker(database) if worker else None
        if beside is not None:
            await beside.start()
        # What is here now lives as long as the process; the collector need not look at it again.
        gc.freeze()
        yield
        if beside is not None:
            await beside.stop()
        await database.close()

    app = FastAPI(
        title="Communities of Practice",
        lifespan=life,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Its logs repeat the words of errors, which may be personal; ours do not (logs.py).
        telemetry={"tracing": current.telemetry, "metrics": current.telemetry, "logs": False},
    )
    app.state.database = database
    for router in ROUTERS:
        # Flat, so that a path is matched once and 405 knows every method of it.
        app.router.routes.extend(router.routes)
    edge.install(app)
    app.middleware_stack = Dispatch(app)
    app.openapi = lambda: openapi.document(app)
    return edge.Edge(app)
