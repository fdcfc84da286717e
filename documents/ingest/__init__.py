"""From a stored file to chunks with vectors: the way a worker walks, safe to walk twice."""
