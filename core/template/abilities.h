// What a chat template does with the parts of a conversation that not every template knows: the system's message,
// tools, their calls and results. A template doesn't say; it is found out by rendering short conversations.
#pragma once

#include "core/template/template.h"

namespace ingle::core {

struct TemplateAbilities {
  bool system = true;           ///< writes a first message of the system
  bool tools = true;            ///< tells of the tools
  bool calls = true;            ///< writes the calls of an assistant's message
  bool text_arguments = false;  ///< … but refuses arguments that are an object: they must be JSON as a text
  bool results = true;          ///< writes the message of a tool
};

/// Renders at most seven conversations. Of a template that renders not even a user's message (it needs variables of its
/// own), nothing is known; then all is as above, so that nobody helps it.
TemplateAbilities abilities_of(const ChatTemplate& chat_template);

}  // namespace ingle::core
