#include "assistant/documents/pdf.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <random>

#include "base/files.h"
#include "security/sandbox/policy.h"

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

constexpr const char* kProgram = "/usr/bin/pdftotext";

/// This program as a reader that a file has taken over: what it can still do.
[[gnu::constructor]] void be_taken_over(int argc, char** argv, char**) {
  if (argc < 1 || std::string_view(argv[0]) != "pdftotext") return;
  (void)::signal(SIGXFSZ, SIG_IGN);  // a limit would end it before the seal refuses
  char asked[64] = {};
  if (::read(STDIN_FILENO, asked, sizeof(asked) - 1) < 0) ::_exit(9);
  if (std::strstr(asked, "call home") != nullptr) (void)::socket(AF_INET, SOCK_STREAM, 0);
  std::string told;
  const auto tell = [&](const char* what, bool done) { told += std::string(what) + (done ? ": yes\n" : ": no\n"); };
  tell("read /etc/passwd", ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
  tell("read /proc/self/maps", ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC) >= 0);
  tell("write /tmp/ingle-escaped", ::open("/tmp/ingle-escaped", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0);
  tell("write its file", ::write(STDIN_FILENO, "x", 1) == 1);
  ::_exit(::write(STDOUT_FILENO, told.data(), told.size()) > 0 ? 0 : 9);
}

/// A whole PDF of these objects, numbered from 1, of which the first is the catalogue.
std::string document(const std::vector<std::string>& objects, const std::string& trailer = {}) {
  std::string out = "%PDF-1.4\n";
  std::vector<size_t> places;
  for (size_t i = 0; i < objects.size(); ++i) {
    places.push_back(out.size());
    out += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const size_t table = out.size();
  out += "xref\n0 " + std::to_string(places.size() + 1) + "\n0000000000 65535 f \n";
  for (const size_t place : places) {
    char line[32];
    std::snprintf(line, sizeof(line), "%010zu 00000 n \n", place);
    out += line;
  }
  return out + "trailer\n<< /Size " + std::to_string(places.size() + 1) + " /Root 1 0 R " + trailer +
         " >>\nstartxref\n" + std::to_string(table) + "\n%%EOF\n";
}

std::string stream(const std::string& content) {
  return "<< /Length " + std::to_string(content.size()) + " >>\nstream\n" + content + "\nendstream";
}

/// So many pages, each with this content.
std::string pages(size_t count, const std::string& content) {
  std::string kids;
  for (size_t i = 0; i < count; ++i) kids += std::to_string(5 + i) + " 0 R ";
  std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Count " + std::to_string(count) + " /Kids [" + kids + "] >>",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>", stream(content)};
  for (size_t i = 0; i < count; ++i)
    objects.push_back(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >> "
        "/Contents 4 0 R >>");
  return document(objects);
}

std::string with_text(const std::string& text) {
  return "BT /F 12 Tf 72 700 Td (" + text + ") Tj ET";
}

class PdfTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(kProgram, X_OK) != 0) GTEST_SKIP() << "there is no pdftotext";
  }
  void fails(const std::string& bytes, ErrorCode code, const std::string& says, const PdfLimits& limits = {}) {
    PdfReader reader({}, kProgram, limits);
    const auto text = reader.text_of(bytes);
    ASSERT_FALSE(text.ok()) << *text;
    EXPECT_EQ(text.error().code, code) << text.error().message;
    EXPECT_THAT(text.error().message, HasSubstr(says));
  }
  PdfReader reader_{base::Status(), kProgram};
};

TEST(Pdf, IsKnownByItsBeginning) {
  EXPECT_TRUE(is_pdf("%PDF-1.7\n"));
  EXPECT_TRUE(is_pdf("\n\n%PDF-1.7\n"));
  EXPECT_TRUE(is_pdf("\xef\xbb\xbf%PDF-1.7\n"));
  EXPECT_FALSE(is_pdf("A text that tells of %PDF-1.7"));
  EXPECT_FALSE(is_pdf(""));
}

TEST(Pdf, IsNotReadWhereThatIsForbidden) {
  PdfReader reader(base::Error{ErrorCode::permission_denied, "no sandbox"}, kProgram);
  EXPECT_EQ(reader.text_of(pages(1, with_text("x"))).error().code, ErrorCode::permission_denied);
}

TEST(Pdf, SaysWhatToInstall) {
  PdfReader reader({}, "/nonexistent/pdftotext");
  const auto text = reader.text_of(pages(1, with_text("x")));
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.error().message, HasSubstr("apt install poppler-utils"));
}

TEST_F(PdfTest, ItsTextIsRead) {
  const auto text = reader_.text_of(pages(2, with_text("Caf\\351 and quokkas")));
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, "Café and quokkas\n\nCafé and quokkas");
}

TEST_F(PdfTest, ControlCharactersAreGone) {
  const auto text = reader_.text_of(pages(1, with_text("a\\033[31mb\\007c")));
  ASSERT_TRUE(text.ok()) << text.error().message;
  for (const char c : *text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << *text;
}

TEST_F(PdfTest, WithoutTextItIsRefused) {
  fails(pages(3, "0 0 m 100 100 l S"), ErrorCode::unsupported, "has no text");
}

TEST_F(PdfTest, EncryptedOnesAreRefused) {
  // Revision 2 with keys of a password that nobody knows.
  const std::string key(32, 'x');
  std::string encrypted = document({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 0 /Kids [] >>",
                                    "<< /Filter /Standard /V 1 /R 2 /O (" + key + ") /U (" + key + ") /P -4 >>"},
                                   "/Encrypt 3 0 R /ID [(0123456789abcdef) (0123456789abcdef)]");
  fails(encrypted, ErrorCode::unsupported, "is encrypted");
}

TEST_F(PdfTest, BoundsHold) {
  const std::string two = pages(2, with_text("x"));
  fails(two, ErrorCode::limit_exceeded, "larger than 0 MB", {.file_bytes = 100});
  fails(two, ErrorCode::limit_exceeded, "more than 1 pages", {.pages = 1});
  fails(pages(50, with_text(std::string(60, 'x'))), ErrorCode::limit_exceeded, "of text", {.text_bytes = 1000});
  EXPECT_TRUE(PdfReader(base::Status(), kProgram, {.pages = 2}).text_of(two).ok());
}

TEST_F(PdfTest, WhatTakesForeverIsStopped) {
  // Forms that show one another ten times each, eight deep.
  std::vector<std::string> objects = {"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
                                      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /XObject << "
                                      "/X 5 0 R >> >> /Contents 4 0 R >>",
                                      stream("/X Do")};
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += "/X Do ";
  for (int depth = 0; depth < 10; ++depth)
    objects.push_back("<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X " +
                      std::to_string(6 + depth) + " 0 R >> >> /Length " + std::to_string(ten.size()) + " >>\nstream\n" +
                      ten + "\nendstream");
  objects.push_back("<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 4 >>\nstream\nq Q \nendstream");
  const auto began = std::chrono::steady_clock::now();
  fails(document(objects), ErrorCode::limit_exceeded, "too much time", {.time = std::chrono::seconds(2)});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST_F(PdfTest, DamagedOnesEndInAnErrorOrInText) {
  const std::string whole = pages(3, with_text("quokka"));
  for (size_t length = 0; length < whole.size(); length += whole.size() / 12) {
    const auto text = reader_.text_of(std::string_view(whole).substr(0, length));
    EXPECT_TRUE(!text.ok() || text->find("quokka") != text->npos);
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::string changed = whole;
    for (int i = 0; i < 30; ++i) changed[random() % changed.size()] = static_cast<char>(random());
    const auto text = reader_.text_of(changed);
    EXPECT_TRUE(text.ok() || !text.error().message.empty());
  }
  fails("%PDF-1.4\n", ErrorCode::corrupt, "is damaged");
}

TEST(Pdf, ItsReaderHasNothingButTheFile) {
  if (security::kSanitizedBuild) GTEST_SKIP() << "a sanitizer maps terabytes, and this program is the reader";
  PdfReader taken_over(base::Status(), "/proc/self/exe");
  const auto text = taken_over.text_of("%PDF-1.4 look around");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, "read /etc/passwd: no\nread /proc/self/maps: no\nwrite /tmp/ingle-escaped: no\nwrite its file: no");
  const auto killed = taken_over.text_of("%PDF-1.4 call home");
  ASSERT_FALSE(killed.ok());
  EXPECT_THAT(killed.error().message, HasSubstr("killed"));
}

}  // namespace
}  // namespace ingle::assistant
