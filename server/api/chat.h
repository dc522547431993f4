// Messages of a chat, from an API's form to what chat templates take.
#pragma once

#include <vector>

#include "assistant/inference/model_service.h"
#include "server/api/reader.h"

namespace ingle::server {

/// OpenAI's `messages`: roles, texts or lists of text parts, tool calls and their results. Templates get
/// [{role, content, …}] with contents as strings. `reader.error()` tells what is wrong.
base::Json read_messages(Reader& reader, std::string_view name);

/// OpenAI's content, a string or [{type: "text", text}], as one string.
std::string read_content(Reader& reader, const base::Json& content, const std::string& path);

/// `chat_template_kwargs`, `reasoning_effort`: whether the model is to think, and the template's other variables.
void read_template_options(Reader& reader, core::ChatRequest& request);

/// The prompt, or why there is none.
std::optional<ApiError> build_prompt(const assistant::ModelService& model, core::ChatRequest& request,
                                     std::vector<core::TokenId>& prompt);

}  // namespace ingle::server
