// What conversations consist of. Times are milliseconds since 1970 (UTC).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace ingle::assistant {

enum class Role : uint8_t { user, assistant, tool };
std::string_view role_name(Role role);
std::optional<Role> find_role(std::string_view name);

enum class MessageState : uint8_t {
  complete,
  writing,      ///< a reply that grows
  stopped,      ///< by the person
  interrupted,  ///< the process that wrote it has ended
  failed,       ///< see Message::error
};
std::string_view state_name(MessageState state);
std::optional<MessageState> find_state(std::string_view name);

struct Attachment {
  int64_t id = 0;
  std::string name;
  uint64_t bytes = 0;       ///< of the file
  uint64_t characters = 0;  ///< of its text
};

struct Message {
  int64_t id = 0;
  int64_t conversation = 0;
  std::optional<int64_t> parent;  ///< none: it begins the conversation. Those of one parent are branches
  Role role = Role::user;
  std::string content, reasoning;
  MessageState state = MessageState::complete;
  std::string error;
  std::string model;  ///< that wrote it
  base::Json report;  ///< how it came to be, for people; null where that is not known
  std::vector<Attachment> attachments;
  int64_t created = 0, updated = 0;
};

/// What a person decides of a conversation.
struct ConversationSettings {
  std::string title;
  std::optional<int64_t> folder;
  bool pinned = false;
  std::string model;  ///< empty: the default
  std::string system;
  base::Json parameters = base::Json::object();  ///< of sampling
};

struct Conversation : ConversationSettings {
  int64_t id = 0;
  std::optional<int64_t> leaf;  ///< the message that ends the branch shown last
  int64_t size = 0;             ///< messages, on all branches
  bool writing = false;         ///< a reply is in progress
  int64_t created = 0, updated = 0;
  int64_t changed = 0;  ///< grows with each change of any conversation
};

struct Folder {
  int64_t id = 0;
  std::string name;
};

struct Preset {
  int64_t id = 0;
  std::string name, system;
  base::Json parameters = base::Json::object();
};

struct Found {
  int64_t conversation = 0;
  std::string title;
  std::optional<int64_t> message;  ///< none: the title has the words
  Role role = Role::user;
  int64_t created = 0;
  struct Part {
    std::string text;
    bool match = false;
  };
  std::vector<Part> snippet;
};

// What one of them may have; more is limit_exceeded.
inline constexpr size_t kLongestTitle = 1024, kLongestName = 256;  ///< bytes
inline constexpr size_t kLongestMessage = size_t{8} << 20;         ///< bytes, of what a person sends
inline constexpr size_t kLongestSystem = size_t{1} << 20;          ///< bytes
inline constexpr size_t kLargestAttachment = size_t{24} << 20;     ///< bytes of a file
inline constexpr int64_t kMostMessagesKept = 100'000, kMostFolders = 1000, kMostPresets = 1000;

}  // namespace ingle::assistant
