"""ASGI middleware for both engines: API keys, limits, error bodies, model cards, request logs.

vLLM imports these modules into an environment of its own. They need only the standard library,
`nothing_gpt`, and starlette and llguidance, which both environments have.
"""
