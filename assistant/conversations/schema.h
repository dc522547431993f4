// The tables of a file of conversations, and how files of earlier versions become ones of this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "assistant/conversations/database.h"

namespace ingle::assistant {

/// Of this program. Each version has a file in tests/data/conversations, which the tests bring up to date.
int64_t schema_version();

/// 0: a new file. Error: corrupt (another program's file).
base::Result<int64_t> version_of(Database& database);

/// Whether the file has just the tables, indices and triggers of its version: those that a file brings along could do
/// anything when a row is written. Error: corrupt.
base::Status check_schema(Database& database, int64_t version);

/// Makes the tables, or brings them up to date, in one transaction. The caller has made a backup where there was
/// something. Errors: unsupported (a later version's; says so), corrupt.
base::Status migrate(Database& database);

}  // namespace ingle::assistant
