#include "security/sandbox/egress.h"

#include "security/sandbox/filter.h"
#include "security/sandbox/kernel.h"

namespace ingle::security {

base::Status give_up_connecting() {
  if (!probe_kernel().filter)
    return base::Error{base::ErrorCode::unsupported,
                       "this system has no system call filters (seccomp), without which connections can't be given up"};
  return load_egress_filter();
}

}  // namespace ingle::security
