"""llama.cpp's server in a process of its own, by PyPI's xllamacpp: MODEL PORT THREADS SLOTS CONTEXT (of all slots)."""

import sys
import threading

import xllamacpp

model, port, threads, slots, context = sys.argv[1], *map(int, sys.argv[2:6])
options = xllamacpp.CommonParams()
options.model.path, options.port = model, port
options.n_parallel, options.n_ctx, options.cont_batching = slots, context, True
options.cpuparams.n_threads = options.cpuparams_batch.n_threads = threads
options.cache_type_k = options.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
options.warmup = True
server = xllamacpp.Server(options)
print("at " + server.listening_address, file=sys.stderr, flush=True)
threading.Event().wait()
