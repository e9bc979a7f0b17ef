import time
import sqlalchemy as sa
from app import clock
from app.models import ProvisionedUser, new_id
from tests.answers import ok
from tests.cast import DTC, WELLNESS, Api
from tests.directories import directory_of, GROUP
async def test_measure(api: Api) -> None:
    d = await directory_of(api, DTC, WELLNESS)
    now = clock.now(); ids=[new_id() for _ in range(5000)]
    from uuid import UUID
    async with api.database.work() as work:
        for i in range(0,5000,1000):
            await work.execute(sa.insert(ProvisionedUser).values([dict(id=x,partner_id=d.machine.id,user_name=f"u{x}@example.org",user_name_key=f"u{x}@example.org",active=True,created_at=now,updated_at=now,version=1) for x in ids[i:i+1000]]))
    g = await d.group()
    for n in (100, 1000):
        t=time.perf_counter()
        r = await d.call("PUT", g, {"schemas":[GROUP],"members":[{"value":str(x)} for x in ids[:n]]})
        ok(r); print("PUT", n, round(time.perf_counter()-t,2))
    t=time.perf_counter(); r = await d.call("PUT", g, {"schemas":[GROUP],"members":[{"value":str(x)} for x in ids[:5000]]}); ok(r); print("PUT 5000", round(time.perf_counter()-t,2), len(r.content))
    t=time.perf_counter(); r = await d.call("PUT", g, {"schemas":[GROUP],"members":[{"value":str(x)} for x in ids[:5000]]}); ok(r); print("PUT 5000 again", round(time.perf_counter()-t,2))
    t=time.perf_counter(); r = await d.get(g); print("GET", round(time.perf_counter()-t,3))
    t=time.perf_counter(); r = await d.patch(g, {"op":"remove","path":f'members[value eq "{ids[0]}"]'}); print("PATCH 1", round(time.perf_counter()-t,3), r.status_code)
    t=time.perf_counter(); r = await d.patch(g, *[{"op":"remove","path":f'members[value eq "{x}"]'} for x in ids[1:101]]); print("PATCH 100", round(time.perf_counter()-t,3), r.status_code)
    t=time.perf_counter(); r = await d.get("/Users", count=200); print("GET 200 users", round(time.perf_counter()-t,3), len(r.json()["Resources"]))
    t=time.perf_counter(); r = await d.get("/Users", filter=f'userName eq "u{ids[77]}@example.org"'); print("filter", round(time.perf_counter()-t,3), r.json()["totalResults"])
    t=time.perf_counter(); r = await d.get("/Groups", filter=f'id eq "{g[8:]}" and members eq "{ids[300]}"', excludedAttributes="members"); print("filter group", round(time.perf_counter()-t,3), r.json()["totalResults"])
    t=time.perf_counter(); r = await d.call("PUT", g, {"schemas":[GROUP],"members":[]}); ok(r); print("PUT none", round(time.perf_counter()-t,2))
    evil = " and ".join(['userName eq "x"']*100)
    t=time.perf_counter(); r = await d.get("/Users", filter=evil[:1990]); print("evil filter", round(time.perf_counter()-t,3), r.status_code)
