// Answers to chats, taken apart by the model's dialect: reasoning, answer, calls of tools.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assistant/dialects/reply.h"
#include "server/api/answer.h"
#include "server/api/chat.h"

namespace ingle::server {

class ChatAnswer : public AnswerFormat {
 public:
  ChatAnswer(const assistant::ModelService& model, ChatSetup setup) : model_(model), setup_(std::move(setup)) {}

  std::string piece(const Choice& choice, const core::GenerationEvent& event) final;

 protected:
  /// A choice has these new parts; with `event.finished` they are the last.
  virtual std::string write(const Choice& choice, const std::vector<assistant::Delta>& deltas,
                            const core::GenerationEvent& event) = 0;
  /// Adds what a whole answer and the last piece of a stream have: times, and what was dropped from the chat.
  void add_report(base::Json& json, const core::GenerationStats& stats) const;
  /// A choice that has ended, as a whole.
  assistant::Reply reply_of(const Choice& choice) const;
  /// How many of its tokens wrote reasoning.
  uint32_t reasoning_tokens(const Choice& choice) const;
  /// Whether the stream's choice has called a tool so far.
  bool has_called(const Choice& choice) const { return called_.contains(choice.index); }

  const assistant::ModelService& model_;
  const ChatSetup setup_;

 private:
  assistant::ReplyOptions parsing() const;

  std::map<size_t, assistant::ReplyParser> parsers_;
  std::map<size_t, bool> called_;
};

/// A chat that was read.
struct ChatJob {
  ChatSetup setup;
  assistant::GenerationRequest request;
  AnswerForm form;
  int64_t choices = 1;
  bool stream = false;
};
using FormatMaker = std::function<std::unique_ptr<AnswerFormat>(ChatSetup)>;

/// Prepares a chat, with a summary first where it needs one, and answers the call in the format that `make` gives.
void answer_chat(Call& call, assistant::ModelService& model, ChatJob job, const FormatMaker& make);

}  // namespace ingle::server
