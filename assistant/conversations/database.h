// SQLite, as the conversations use it: a connection, statements that are prepared once, transactions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ingle::assistant {

/// What is bound to a statement's "?": null, an integer, a text, bytes.
struct Bytes {
  std::string_view bytes;
};
class Value {
 public:
  Value(std::nullptr_t) {}                                            // NOLINT(google-explicit-constructor)
  Value(int64_t value) : value_(value) {}                             // NOLINT(google-explicit-constructor)
  Value(int value) : value_(int64_t{value}) {}                        // NOLINT(google-explicit-constructor)
  Value(bool value) : value_(int64_t{value}) {}                       // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : value_(text) {}                      // NOLINT(google-explicit-constructor)
  Value(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* text) : value_(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)
  Value(Bytes bytes) : value_(bytes) {}                               // NOLINT(google-explicit-constructor)
  template <typename T>
  Value(const std::optional<T>& value) {  // NOLINT(google-explicit-constructor)
    if (value) *this = Value(*value);
  }

 private:
  friend class Database;
  std::variant<std::nullptr_t, int64_t, std::string_view, Bytes> value_ = nullptr;
};

/// The row that a statement stands at. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const;
  int64_t integer(int column) const;
  std::optional<int64_t> maybe_integer(int column) const;
  /// Also bytes. Lives until the next row.
  std::string_view view(int column) const;
  std::string text(int column) const { return std::string(view(column)); }
  std::optional<std::string> maybe_text(int column) const;

 private:
  friend class Database;
  sqlite3_stmt* statement_;
};

/// Used by one thread at a time. Errors of all: no_space, busy (another process writes for long), corrupt,
/// permission_denied, limit_exceeded, out_of_memory, io_error, internal (a mistake in a statement).
class Database {
 public:
  enum class Mode { create, read_only, memory };
  /// A new file is its owner's alone.
  static base::Result<Database> open(const std::filesystem::path& path, Mode mode);

  Database() = default;
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  base::Status run(std::string_view sql, std::initializer_list<Value> values = {});
  /// With the first `count` columns of a row, perhaps of another database, as values.
  base::Status run_row(std::string_view sql, const Row& row, size_t count);
  /// Calls `row` for each. It may end early with an error, which is returned.
  base::Status each(std::string_view sql, std::initializer_list<Value> values,
                    const std::function<base::Status(const Row&)>& row);
  /// The first column of the first row; nothing: there is none, or it is null.
  base::Result<std::optional<int64_t>> integer(std::string_view sql, std::initializer_list<Value> values = {});
  base::Result<std::optional<std::string>> text(std::string_view sql, std::initializer_list<Value> values = {});
  /// Several statements that take no values.
  base::Status script(const std::string& sql);

  int64_t last_id() const;
  /// Rows that the last statement changed.
  int64_t changes() const;
  /// Rows that all statements of the connection changed, also in an index's own tables.
  int64_t all_changes() const;
  sqlite3* handle() const { return handle_; }

 private:
  base::Result<sqlite3_stmt*> prepare(std::string_view sql);
  base::Status step_all(sqlite3_stmt* statement, const std::function<base::Status(const Row&)>& row);
  base::Error error(int code, std::string_view doing) const;

  sqlite3* handle_ = nullptr;
  std::filesystem::path path_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

/// How much a commit outlives. Either outlives the process's death; what a power cut takes is what came after the last
/// `power_cut` commit.
enum class Durability { process_end, power_cut };

/// Rolled back unless it is committed.
class Transaction {
 public:
  /// Waits for a while until no other process writes.
  static base::Result<Transaction> begin(Database& database, Durability durability);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  base::Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace ingle::assistant
