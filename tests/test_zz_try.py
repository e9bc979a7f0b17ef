import asyncio
from tests.processes import *
from tests.cast import *
async def test_x(api, tmp_path):
    async with serving(api.database.url, tmp_path/'log', *( [] if 'sqlite' in api.database.url else ['--worker']), mail_url=f"file://{tmp_path/'mail'}") as s:
        r = await s.client.post('/api/v1/join-requests', json={
        "name": "Amara Okafor",
        "email": "amara@example.org",
        "communities": [DTC],
        "occupation": "Nurse",
        "affiliation": "Detox Centre",
        "area_of_interest": "withdrawal",
        "agrees_to_rules_version": 1,
    })
        import time; t=time.time()
        print(r.status_code)
        try:
          await eventually(lambda: list((tmp_path/'mail').glob('*.eml')), 20)
          print('mail after', time.time()-t)
        finally:
          print(s.process.said())
        t=time.time()
        s.process.ask_to_stop(); print(await s.process.ended(), time.time()-t)
        print(s.process.said())
