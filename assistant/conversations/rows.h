// Rows of the tables as the records of conversation.h; and what several files of the store share.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/conversations/conversation.h"
#include "assistant/conversations/database.h"
#include "base/files.h"

namespace ingle::assistant {

/// For conversation_of().
inline constexpr std::string_view kSelectConversation =
    "SELECT c.id, c.title, c.folder, c.pinned, c.model, c.system, c.parameters, c.leaf, c.created, c.updated, "
    "c.changed,"
    " (SELECT count(*) FROM messages WHERE conversation = c.id),"
    " EXISTS (SELECT 1 FROM messages WHERE conversation = c.id AND state = 'writing') FROM conversations c";
base::Result<Conversation> conversation_of(const Row& row);
/// Error: not_found.
base::Result<Conversation> read_conversation(Database& database, int64_t id);

/// For message_of(), which leaves attachments and pieces out.
inline constexpr std::string_view kSelectMessage =
    "SELECT id, conversation, parent, role, content, reasoning, state, error, model, report, created, updated"
    " FROM messages";
base::Result<Message> message_of(const Row& row);

/// An object from its column; damage is an error.
base::Result<base::Json> json_of(const Row& row, int column);
/// What is not UTF-8 becomes U+FFFD.
std::string column_text(const base::Json& json);

base::Error not_found(std::string_view what, int64_t id);
/// Error: invalid_argument (not UTF-8), limit_exceeded.
base::Status check_text(std::string_view what, std::string_view text, size_t most_bytes);

/// That words of deleted texts are in the search's index still (search.cpp).
base::Status note_words(Database& database);
base::Result<bool> are_words_due(Database& database);

/// The file beside it whose bytes are locked: N by who writes message N, 0 by all who use it, kOpening by who opens it.
inline constexpr int64_t kOpening = int64_t{1} << 62;
base::Result<base::FileDescriptor> open_lock_file(const std::filesystem::path& file);
struct flock byte_lock(short type, int64_t byte);

/// Copies it to a file beside it, named after its version, and notes that.
base::Status back_up_earlier_version(Database& database, const std::filesystem::path& file, int64_t version,
                                     std::vector<std::string>& notices);

}  // namespace ingle::assistant
