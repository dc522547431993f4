// What goes into /v1/responses: items of a conversation, and the messages that chat templates take for them.
#pragma once

#include <vector>

#include "server/api/reader.h"
#include "server/api/response_store.h"

namespace ingle::server {

/// `input`: a text, or items: messages of text, calls of functions, their results, reasoning. Each is given back in
/// full, with an id, as the API lists items. `reader.error()` tells what is wrong.
base::Json read_input(Reader& reader);

/// The messages of a conversation of such items, and of a response's output: [{role, content, …}]. What the model
/// thought, said and called in one go is one message.
base::Json messages_of(const std::vector<Items>& conversation);

/// The most items that a conversation may have.
inline constexpr size_t kMostItems = 4096;

}  // namespace ingle::server
