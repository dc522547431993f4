// The process that answers one question about model files. It reads the question from its standard input, confines
// itself before it looks at a byte of a model, and writes lines of JSON: {"told": …} as it goes, at the end {"answer":
// …} or
// {"error": {"code", "message"}}.
//
// The question: {"ask": "describe" | "statistics" | "compare", "models": [path …], "tensor": name,
// "files": [{"path", "fd"} …], "sanitizers": bool}.
#pragma once

namespace ingle::assistant {

/// All of the process. Returns its exit status.
int run_viewer_host();

}  // namespace ingle::assistant
