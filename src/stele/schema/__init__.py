"""Entities and messages: one msgspec Struct each, shared by Python, REST and OpenAPI, and the route table."""
