"""Which server answers, when, and whether at all: places, turns, health, failover, limits, kept answers.

    client.stream_chat ─ failover ─┬─ desk       places and turns, one script in Redis for all processes
                                   ├─ breaker    servers that fail are left alone for a while
                                   ├─ limits     what somebody may use in a period
                                   └─ cache      answers to repeatable requests

A model with one server and without slots, limits and kept answers passes none of it.
"""
