"""The arguments of an operation: what FastAPI's declarations ask for, worked out once at start.

FastAPI looks at every annotation again at every request, which takes as long as all the rest of a
short answer. Here the declarations stay FastAPI's, and so does the contract that is made of them;
a `Plan` only remembers what they come to. It knows the declarations that this house uses (path,
query and header parameters, one JSON body, dependencies that are `async def`) and refuses others.
"""

import inspect
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, get_args, get_origin

from fastapi import Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

MISSING = object()


class Parameter(NamedTuple):
    """One value of the path, the query or the headers."""

    name: str
    alias: str
    place: str
    many: bool
    required: bool
    default: Any
    field: ModelField

    def read(self, given: Any, errors: list[Any]) -> Any:
        """The value, or its default; what is wrong with it is added to the errors."""
        value = given.getlist(self.alias) if self.many else given.get(self.alias)
        if value is None or value == []:
            if self.required:
                errors.append(_missing(self.place, self.alias))
            return self.default
        value, wrong = self.field.validate(value, {}, loc=(self.place, self.alias))
        errors.extend(wrong)
        return value


def _missing(*place: str) -> dict[str, Any]:
    return {"type": "missing", "loc": place, "msg": "Field required", "input": None}


class Plan:
    """What one callable asks for: of the request, of the body, and of what it depends on."""

    def __init__(self, dependant: Dependant) -> None:
        self.call: Any = dependant.call
        self.dependencies = [(sub.name, Plan(sub)) for sub in dependant.dependencies]
        self.query = _parameters("query", dependant.query_params)
        places = {
            "path_params": _parameters("path", dependant.path_params),
            "query_params": self.query,
            "headers": _parameters("header", dependant.header_params),
        }
        self.places = [(place, wanted) for place, wanted in places.items() if wanted]
        self.request_name = dependant.request_param_name
        self.bodies = dependant.body_params
        self._refuse_others(dependant)
        called = self.call if inspect.isroutine(self.call) else type(self.call).__call__
        self.context = (
            asynccontextmanager(self.call) if inspect.isasyncgenfunction(called) else None
        )
        if self.context is None and not inspect.iscoroutinefunction(called):
            raise TypeError(f"{self.call} has to be async def")

    def _refuse_others(self, dependant: Dependant) -> None:
        others = (
            dependant.cookie_params,
            dependant.websocket_param_name,
            dependant.http_connection_param_name,
            dependant.response_param_name,
            dependant.background_tasks_param_name,
            dependant.security_scopes_param_name,
            self.bodies[1:],
        )
        if any(others):
            raise TypeError(f"{self.call} asks for something that a Plan does not know")

    def query_names(self) -> dict[str, bool]:
        """The names of the query's parameters; true for those that may be repeated."""
        found = {parameter.alias: parameter.many for parameter in self.query}
        for _, plan in self.dependencies:
            found |= plan.query_names()
        return found

    async def arguments(self, request: Request, body: Any, stack: AsyncExitStack) -> dict[str, Any]:
        """The values to call it with. Dependencies come first, so that who may not call hears
        nothing of the rest. Raises RequestValidationError with all that is wrong."""
        errors: list[Any] = []
        values = await self._solved(request, stack, {}, errors)
        for field in self.bodies:
            if body is MISSING and field.field_info.is_required():
                errors.append(_missing("body"))
            elif body is MISSING:
                values[field.name] = field.get_default()
            else:
                values[field.name], wrong = field.validate(body, {}, loc=("body",))
                errors.extend(wrong)
        if errors:
            raise RequestValidationError(errors)
        return values

    async def _solved(
        self, request: Request, stack: AsyncExitStack, known: dict[Any, Any], errors: list[Any]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, plan in self.dependencies:
            if plan.call not in known:
                before = len(errors)
                arguments = await plan._solved(request, stack, known, errors)
                if len(errors) > before:
                    continue
                if plan.context is None:
                    known[plan.call] = await plan.call(**arguments)
                else:
                    known[plan.call] = await stack.enter_async_context(plan.context(**arguments))
            if name is not None:
                values[name] = known[plan.call]
        for place, wanted in self.places:
            given = getattr(request, place)
            for parameter in wanted:
                values[parameter.name] = parameter.read(given, errors)
        if self.request_name is not None:
            values[self.request_name] = request
        return values


def _parameters(place: str, fields: list[ModelField]) -> list[Parameter]:
    return [
        Parameter(
            field.name,
            field.alias,
            place,
            _is_list(field.field_info.annotation),
            field.field_info.is_required(),
            None if field.field_info.is_required() else field.default,
            field,
        )
        for field in fields
    ]


def _is_list(annotation: Any) -> bool:
    """True for a list, and for a list that may be absent."""
    return any(get_origin(kind) is list for kind in (annotation, *get_args(annotation)))
