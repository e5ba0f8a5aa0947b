"""llama.cpp's own HTTP server on 127.0.0.1, from its wheel: serve.py MODEL.gguf PORT"""
import signal
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.model_alias = {"tiny"}
params.n_ctx = 4096
params.n_parallel = 4
params.cpuparams.n_threads = 1
params.warmup = False
params.ui = False
params.endpoint_metrics = True
params.embedding = True
params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
signal.pause()
