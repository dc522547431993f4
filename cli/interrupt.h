// Signals. Ctrl-C: the first stops what is running and lets it end in order, the second ends the process.
#pragma once

namespace ingle::cli {

/// Catches SIGINT and SIGTERM from here on.
void catch_interrupts();
/// Whether one arrived since the last clear_interrupt().
bool interrupted();
/// Forgets Ctrl-C; SIGTERM holds, since whoever sent it wants the process to end.
void clear_interrupt();
/// Whether SIGTERM arrived.
bool terminated();
/// Becomes readable when a signal arrives, and stays so until clear_interrupt(): for a poll() that must not miss one.
int interrupt_descriptor();

/// From here on SIGHUP ends nothing: take_hangup() tells of it. Where the process was started to ignore it (nohup), it
/// stays so.
void catch_hangups();
/// Whether one arrived since the last call. interrupt_descriptor() tells of it, too.
bool take_hangup();

/// From here on SIGBUS ends the process with a line that says what it means: a file that is mapped lost its end, or its
/// disk fails. Nothing can go on without those bytes.
void explain_bus_errors();

}  // namespace ingle::cli
