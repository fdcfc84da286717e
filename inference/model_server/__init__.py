"""The embedded model server: MiniLM over onnxruntime behind an OpenAI-compatible address on loopback.

It is a process of its own (`python -m inference.model_server`) that knows neither Django nor the database, so
that it starts in a second and a laptop speaks to it as an estate speaks to vLLM.
"""
