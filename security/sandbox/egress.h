// A process that serves, and reads what is not trusted, gives up reaching others: it can still accept and answer.
#pragma once

#include "base/result.h"

namespace ingle::security {

/// From now on no thread of this process, and nothing that it starts, makes a connection or a socket of a network; what
/// listens or is connected already goes on, as do Unix sockets that send without connecting (sd_notify). For good. It
/// keeps bytes from leaving by the network, and nothing else: files, and programs of the same user that would pass them
/// on, are the sandbox's matter (confine.h). May be called again, from any thread. Errors: unsupported (the kernel has
/// no system call filters), internal.
base::Status give_up_connecting();

}  // namespace ingle::security
