// Responses that are kept: whose they are, and how they go.
#include "server/api/response_store.h"

#include <gtest/gtest.h>

#include <thread>

namespace ingle::server {
namespace {

using namespace std::chrono_literals;

class ResponseStoreTest : public testing::Test {
 protected:
  static StoredResponse response(const std::string& id, size_t text = 1) {
    StoredResponse stored;
    stored.response = {{"id", id}};
    stored.input = std::make_shared<ItemList>(base::Json::array({std::string(text, 'x')}));
    stored.history = {stored.input};
    return stored;
  }

  std::chrono::steady_clock::time_point now_;
  ResponseStore store_{{.per_principal = 3, .all = 4, .bytes_per_principal = 1000, .bytes = 1500, .age = 60s},
                       [this] { return now_; }};
};

TEST_F(ResponseStoreTest, IsItsPrincipalsAlone) {
  EXPECT_TRUE(store_.put("a", response("1")));
  EXPECT_EQ(store_.find("a", "1")->response["id"], "1");
  EXPECT_FALSE(store_.find("b", "1"));
  EXPECT_FALSE(store_.remove("b", "1"));
  EXPECT_TRUE(store_.remove("a", "1"));
  EXPECT_FALSE(store_.find("a", "1"));
  EXPECT_FALSE(store_.remove("a", "1"));
}

TEST_F(ResponseStoreTest, NothingIsKeptOfWhoIsGone) {
  store_.put("a", response("1"));
  store_.put("b", response("2"));
  store_.forget("a");
  EXPECT_FALSE(store_.find("a", "1"));
  EXPECT_TRUE(store_.find("b", "2"));
  EXPECT_FALSE(store_.put("a", response("3"))) << "it was being written";
  EXPECT_FALSE(store_.find("a", "3"));
}

TEST_F(ResponseStoreTest, TheOldestOfThePrincipalGoesFirst) {
  store_.put("b", response("0"));
  for (const char* id : {"1", "2", "3", "4"}) store_.put("a", response(id));
  EXPECT_FALSE(store_.find("a", "1"));
  for (const char* id : {"2", "3", "4"}) EXPECT_TRUE(store_.find("a", id)) << id;
  EXPECT_TRUE(store_.find("b", "0")) << "nobody else's goes for one's number";
  store_.put("b", response("5"));  // the fifth of all
  EXPECT_FALSE(store_.find("b", "0"));
  EXPECT_TRUE(store_.find("a", "2"));
}

TEST_F(ResponseStoreTest, BytesAreBounded) {
  EXPECT_FALSE(store_.put("a", response("1", 1000)));
  EXPECT_FALSE(store_.find("a", "1"));
  EXPECT_TRUE(store_.put("a", response("2", 600)));
  EXPECT_TRUE(store_.put("a", response("3", 600)));
  EXPECT_FALSE(store_.find("a", "2"));
  EXPECT_TRUE(store_.put("b", response("4", 600)));
  EXPECT_TRUE(store_.put("c", response("5", 600)));  // 1,800 of all
  EXPECT_FALSE(store_.find("a", "3"));
  EXPECT_TRUE(store_.find("b", "4"));
}

TEST_F(ResponseStoreTest, AgeEndsThem) {
  store_.put("a", response("1"));
  now_ += 40s;
  store_.put("a", response("2"));
  now_ += 21s;
  EXPECT_FALSE(store_.find("a", "1"));
  EXPECT_TRUE(store_.find("a", "2"));
}

TEST_F(ResponseStoreTest, WhatComesAfterKeepsWhatItNeeds) {
  StoredResponse first = response("1"), second = response("2");
  second.history.insert(second.history.begin(), first.input);
  store_.put("a", first);
  store_.put("a", second);
  EXPECT_TRUE(store_.remove("a", "1"));
  EXPECT_EQ(store_.find("a", "2")->history.size(), 2u);
  EXPECT_EQ(store_.find("a", "2")->history.front()->items[0], "x");
}

TEST(ResponseStore, TakesSeveralThreads) {
  ResponseStore store({.per_principal = 20, .all = 1000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string principal = std::to_string(t), id = principal + "-" + std::to_string(i);
        StoredResponse stored;
        stored.response = {{"id", id}};
        stored.input = std::make_shared<ItemList>(base::Json::array());
        store.put(principal, stored);
        EXPECT_TRUE(store.find(principal, id));
        if (i % 3 == 0) {
          EXPECT_TRUE(store.remove(principal, id));
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ingle::server
