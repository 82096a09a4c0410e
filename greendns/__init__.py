"""GreenDNS: an authoritative GeoDNS server on gevent that reads geodns's zone files."""

__version__ = "0.1.0"
