"""placeholder"""


async def fill(database):
    return []
