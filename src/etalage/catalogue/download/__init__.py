"""Fetches pictures named by URL into a store that survives interrupted runs.

`scheduler` decides which URL is requested when, and `http` requests it. `urls` and `addresses` decide what may be
requested. `store` keeps the pictures, and a table of what each URL gave.

The client is aiohttp: it takes a quarter of httpx2's processor time, and its connector lets us check the address of
every socket. Proxies named by the environment are not used, since the addresses that a proxy connects to cannot be
checked; cookies are not kept.
"""

from etalage.catalogue.download.addresses import is_public
from etalage.catalogue.download.results import Failed, Fetched
from etalage.catalogue.download.scheduler import fetch

__all__ = ["Failed", "Fetched", "fetch", "is_public"]
