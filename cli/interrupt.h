// Ctrl-C: the first stops what is running and lets it end in order, the second ends the process.
#pragma once

namespace ingle::cli {

/// Catches SIGINT and SIGTERM from here on.
void catch_interrupts();
/// Whether one arrived since the last clear_interrupt().
bool interrupted();
void clear_interrupt();

}  // namespace ingle::cli
