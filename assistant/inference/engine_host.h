// The process that runs one model for a server: it is told what to load, confines itself before it looks at a byte of
// the model (security/sandbox), and answers messages until its starter is gone.
#pragma once

namespace ingle::assistant {

/// Its pipes; what it was handed in follows.
constexpr int kFromStarterFd = 5, kToStarterFd = 6, kFirstHandedFd = 7;

/// All of the process. Returns its exit status.
int run_engine_host();

}  // namespace ingle::assistant
