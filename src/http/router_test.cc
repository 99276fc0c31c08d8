#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "http/problem.h"
#include "http/request_counts.h"

namespace kehu::http {
namespace {

Route route(Method method, std::string pattern, Access access = Access::kAdmin) {
  return {.method = method, .pattern = std::move(pattern), .access = access, .action = NoBody{}};
}

Router sample() {
  std::vector<Route> routes;
  routes.push_back(route(Method::kGet, "/"));
  routes.push_back(route(Method::kGet, "/api/v1/customers"));
  routes.push_back(route(Method::kGet, "/api/v1/customers/search"));
  routes.push_back(route(Method::kGet, "/api/v1/customers/:id"));
  routes.push_back(route(Method::kDelete, "/api/v1/customers/:id"));
  routes.push_back(route(Method::kGet, "/api/v1/customers/:id/timeline/:page"));
  routes.push_back(route(Method::kPost, "/v1/batch", Access::kWriteKey));
  routes.push_back(route(Method::kGet, "/assets/*path", Access::kPublic));
  routes.push_back(route(Method::kPost, "/api/v1/customers/search"));
  return Router(std::move(routes));
}

struct FindCase {
  Method method;
  const char* path;
  const char* pattern;     // nullptr: none
  const char* parameters;  // "name=value;" decoded
  const char* allow;
};

TEST(Router, Find) {
  const Router router = sample();
  const FindCase cases[] = {
      {Method::kGet, "/", "/", "", ""},
      {Method::kHead, "/", "/", "", ""},
      {Method::kPost, "/", nullptr, "", "GET, HEAD"},
      {Method::kGet, "", nullptr, "", ""},
      {Method::kGet, "*", nullptr, "", ""},
      {Method::kGet, "/api/v1/customers", "/api/v1/customers", "", ""},
      {Method::kGet, "/api/v1/customers/", "/api/v1/customers", "", ""},
      {Method::kPost, "/v1/batch/", "/v1/batch", "", ""},
      {Method::kPost, "//v1/batch/", "/v1/batch", "", ""},
      {Method::kPost, "/v1//batch//", "/v1/batch", "", ""},
      {Method::kPost, "///v1/b%61tch/", "/v1/batch", "", ""},
      {Method::kPut, "/v1/batch/", nullptr, "", "POST"},
      {Method::kPost, "/v1%2Fbatch", nullptr, "", ""},
      {Method::kPost, "/v1/batch%2f", nullptr, "", ""},
      {Method::kPost, "/v1/batch%252F", nullptr, "", ""},
      {Method::kDelete, "/api/v1//customers/a%2F%2Fb/", "/api/v1/customers/:id", "id=a//b;", ""},
      {Method::kGet, "/api/v1/customers/order%2050%25", "/api/v1/customers/:id", "id=order 50%;", ""},
      {Method::kGet, "/api/v1/customers/50%2525", "/api/v1/customers/:id", "id=50%25;", ""},
      {Method::kGet, "/api/v1/customers/search", "/api/v1/customers/search", "", ""},
      {Method::kGet, "/api/v1/customers/s%65arch", "/api/v1/customers/search", "", ""},
      {Method::kGet, "/api/v1/customers/phone:%2B8613800138000", "/api/v1/customers/:id",
       "id=phone:+8613800138000;", ""},
      {Method::kGet, "/api/v1/%63ustomers/a%2Fb", "/api/v1/customers/:id", "id=a/b;", ""},
      {Method::kGet, "/api/v1/customers/%E5%AE%A2", "/api/v1/customers/:id", "id=客;", ""},
      {Method::kDelete, "/api/v1/customers/a+b", "/api/v1/customers/:id", "id=a+b;", ""},
      {Method::kPut, "/api/v1/customers/a", nullptr, "", "GET, HEAD, DELETE"},
      {Method::kPut, "/api/v1/customers/search", nullptr, "", "GET, HEAD, POST, DELETE"},
      {Method::kDelete, "/api/v1/customers/search", "/api/v1/customers/:id", "id=search;", ""},
      {Method::kGet, "/api/v1/customers/a/timeline/2", "/api/v1/customers/:id/timeline/:page", "id=a;page=2;",
       ""},
      {Method::kGet, "/api/v1/customers/a/timeline/", nullptr, "", ""},
      {Method::kGet, "/api/v1/customers/a/timeline", nullptr, "", ""},
      {Method::kGet, "/api/v1/customers//timeline/2", nullptr, "", ""},
      {Method::kHead, "/v1/batch", nullptr, "", "POST"},
      {Method::kGet, "/assets/js/app.js", "/assets/*path", "path=js/app.js;", ""},
      {Method::kGet, "/assets/", "/assets/*path", "path=;", ""},
      {Method::kGet, "/assets", nullptr, "", ""},
      {Method::kGet, "/assets/../etc/passwd", "/assets/*path", "path=../etc/passwd;", ""},
      {Method::kGet, "//", "/", "", ""},
      {Method::kGet, "//assets//js/app.js", "/assets/*path", "path=js/app.js;", ""},
  };
  for (const FindCase& c : cases) {
    SCOPED_TRACE(std::string(to_string(c.method)) + " " + c.path);
    const Router::Match match = router.find(c.method, c.path);
    ASSERT_EQ(match.route != nullptr, c.pattern != nullptr);
    if (match.route != nullptr) {
      EXPECT_EQ(match.route->pattern, c.pattern);
    }
    std::string parameters;
    for (const PathParameter& p : match.parameters) {
      parameters += std::string(p.name) + "=" + percent_decode(p.value) + ";";
    }
    EXPECT_EQ(parameters, c.parameters);
    EXPECT_EQ(match.allow, c.allow);
  }
}

TEST(Router, AnswersWithoutARoute) {
  const Router router = sample();
  const Response missing = no_route(router.find(Method::kGet, "/nowhere"), Method::kGet, "/nowhere");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, testing::HasSubstr(R"("code":"no_route")"));
  const Response wrong = no_route(router.find(Method::kPut, "/v1/batch"), Method::kPut, "/v1/batch");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_THAT(wrong.headers, testing::Contains(std::pair<std::string, std::string>("Allow", "POST")));
}

TEST(Router, TheGateSeesTheRouteAndTheRequest) {
  const Router router({route(Method::kGet, "/a"), route(Method::kGet, "/b", Access::kPublic)},
                      [](const Route& r, const Request& request) -> Admission {
                        if (r.access == Access::kPublic || request.local) return {};
                        return {.refusal = to_response(Problem::unauthorized("send the admin token"))};
                      });
  const Route& closed = router.routes()[0];
  const Route& open = router.routes()[1];
  EXPECT_EQ(router.admit(closed, Request{}).refusal->status, 401);
  EXPECT_FALSE(router.admit(closed, Request{.local = true}).refusal);
  EXPECT_FALSE(router.admit(open, Request{}).refusal);
}

TEST(Router, CountsAnswersByRouteAndStatus) {
  const Router router = sample();
  const Route* batch = router.find(Method::kPost, "/v1/batch/").route;
  for (const int status : {200, 200, 401, 42, 999}) router.counts().add(batch, status);
  router.counts().add(nullptr, 404);
  EXPECT_EQ(router.counts().count(batch, 200), 2u);
  std::string text;
  router.counts().append_metrics(text);
  for (const char* line : {R"({method="POST",route="/v1/batch",status="200"} 2)",
                           R"({method="POST",route="/v1/batch",status="401"} 1)",
                           R"({method="POST",route="/v1/batch",status="0"} 2)",
                           R"({method="any",route="none",status="404"} 1)"}) {
    EXPECT_THAT(text, testing::HasSubstr(std::string("kehu_http_requests_total") + line + "\n"));
  }
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6) << text;
}

TEST(RouterDeathTest, AMalformedTableIsABug) {
  EXPECT_DEATH(Router({route(Method::kGet, "/a"), route(Method::kGet, "/a")}), "");
  EXPECT_DEATH(Router({route(Method::kGet, "a")}), "");
  EXPECT_DEATH(Router({route(Method::kGet, "/:")}), "");
  EXPECT_DEATH(Router({route(Method::kGet, "/*rest/more")}), "");
  EXPECT_DEATH(Router({{.method = Method::kPost, .pattern = "/live", .action = LiveUpgrade{}}}), "");
}

TEST(Request, Lookups) {
  const Header headers[] = {{"Content-Type", "text/plain"}, {"x-a", "1"}, {"X-A", "2"}};
  const Request request{.target = "/p/%E5?a=1&b=x%20y+z&a=2&empty&=v&%62=no&c%3D=%26", .headers = headers};
  EXPECT_EQ(request.path(), "/p/%E5");
  EXPECT_EQ(request.header("content-type"), "text/plain");
  EXPECT_EQ(request.header("X-A"), "1");
  EXPECT_EQ(request.header("X-B"), std::nullopt);
  EXPECT_EQ(request.query("a"), "1");
  EXPECT_EQ(request.query("b"), "x y z");
  EXPECT_EQ(request.query("empty"), "");
  EXPECT_EQ(request.query("c="), "&");
  EXPECT_EQ(request.query("missing"), std::nullopt);
  EXPECT_EQ(request.query_parameters().size(), 7u);
  EXPECT_EQ((Request{.target = "/p"}.query("a")), std::nullopt);
}

struct EscapeCase {
  const char* given;
  bool valid;
  const char* decoded;
};

TEST(Request, Escapes) {
  const EscapeCase cases[] = {
      {"", true, ""},         {"plain", true, "plain"}, {"%41%7a", true, "Az"},   {"%", false, "%"},
      {"%4", false, "%4"},    {"%4g", false, "%4g"},    {"%%41", false, "%A"},    {"a%2", false, "a%2"},
      {"%25%32", true, "%2"}, {"%ff", true, "\xff"},    {"100%25", true, "100%"},
  };
  for (const EscapeCase& c : cases) {
    EXPECT_EQ(valid_escapes(c.given), c.valid) << c.given;
    EXPECT_EQ(percent_decode(c.given), c.decoded) << c.given;
  }
  EXPECT_FALSE(valid_escapes("/a%00b"));
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text{'x', static_cast<char>(byte), '0'};
    EXPECT_EQ(percent_decode(percent_encode(text), PlusSign::kSpace), text) << byte;
  }
}

TEST(Problem, IsProblemJson) {
  Problem problem = Problem::bad_request("invalid_json", "The body is not JSON", "a \"quoted\"\ntext");
  problem.pointer = "/batch/3";
  const Response response = to_response(problem);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"urn:kehu:problem:invalid_json","title":"The body is not JSON","status":400,)"
            R"("detail":"a \"quoted\"\ntext","code":"invalid_json","pointer":"/batch/3",)"
            R"("message":"a \"quoted\"\ntext"})");
  EXPECT_THAT(to_response(Problem::overloaded("later")).headers,
              testing::ElementsAre(std::pair<std::string, std::string>("Retry-After", "1")));
}

TEST(Problem, OfAStatus) {
  const std::pair<absl::Status, int> cases[] = {
      {absl::InvalidArgumentError("x"), 400},    {absl::NotFoundError("x"), 404},
      {absl::UnavailableError("x"), 503},        {absl::ResourceExhaustedError("x"), 503},
      {absl::FailedPreconditionError("x"), 409}, {absl::AlreadyExistsError("x"), 409},
      {absl::PermissionDeniedError("x"), 403},   {absl::UnauthenticatedError("x"), 401},
      {absl::DataLossError("x"), 500},           {absl::InternalError("x"), 500},
  };
  for (const auto& [status, want] : cases) {
    const Problem problem = problem_of(status);
    EXPECT_EQ(problem.status, want) << status;
    EXPECT_FALSE(problem.code.empty());
    EXPECT_EQ(problem.detail, "x");
  }
}

// Remembers what it is told.
class FakeOutlet : public Outlet {
 public:
  void answer(Ticket ticket, Response response) override { answers.push_back({ticket, std::move(response)}); }
  void answer_all(std::vector<Answer>& all) override {
    ++batches;
    for (Answer& one : all) answers.push_back(std::move(one));
    all.clear();
  }
  void read_more(Ticket) override { ++reads; }
  void take(Ticket, absl::StatusOr<Piece> piece) override { pieces.push_back(std::move(piece)); }

  std::vector<Answer> answers;
  std::vector<absl::StatusOr<Piece>> pieces;
  int batches = 0;
  int reads = 0;
};

TEST(Responder, AnswersExactlyOnce) {
  const auto outlet = std::make_shared<FakeOutlet>();
  {
    Responder sent(outlet, {.slot = 1, .generation = 2});
    Responder moved(std::move(sent));
    EXPECT_TRUE(sent.answered());
    moved.send(Response::text("hello"));
    EXPECT_TRUE(moved.answered());
  }
  ASSERT_EQ(outlet->answers.size(), 1u);
  EXPECT_EQ(outlet->answers[0].ticket.slot, 1u);
  EXPECT_EQ(outlet->answers[0].response.body, "hello");
  { const Responder forgotten(outlet, {}); }
  ASSERT_EQ(outlet->answers.size(), 2u);
  EXPECT_EQ(outlet->answers[1].response.status, 500);
}

TEST(Responder, ABatchWakesEachOwnerOnce) {
  const auto first = std::make_shared<FakeOutlet>();
  const auto second = std::make_shared<FakeOutlet>();
  for (int round = 1; round <= 3; ++round) {
    const AnswerBatch batch;
    for (uint32_t i = 0; i < 100; ++i) {
      Responder(i % 2 == 0 ? first : second, {.slot = i}).send(Response::no_content());
    }
    EXPECT_EQ(first->batches, round - 1);
  }
  EXPECT_EQ(first->batches, 3);
  EXPECT_EQ(second->batches, 3);
  EXPECT_EQ(first->answers.size() + second->answers.size(), 300u);
  Responder(first, {}).send({});
  EXPECT_EQ(first->batches, 3);
}

TEST(ReadMore, GoesOnceEvenWhenForgotten) {
  const auto outlet = std::make_shared<FakeOutlet>();
  {
    ReadMore more(outlet, {});
    more.go();
    more.go();
  }
  EXPECT_EQ(outlet->reads, 1);
  { const ReadMore forgotten(outlet, {}); }
  EXPECT_EQ(outlet->reads, 2);
}

TEST(GivePiece, ForgottenItBreaksTheBodyOff) {
  const auto outlet = std::make_shared<FakeOutlet>();
  {
    GivePiece given(outlet, {});
    GivePiece moved(std::move(given));
    moved.give(Piece{.bytes = "a", .last = true});
  }
  ASSERT_EQ(outlet->pieces.size(), 1u);
  EXPECT_EQ(outlet->pieces[0]->bytes, "a");
  { const GivePiece forgotten(outlet, {}); }
  ASSERT_EQ(outlet->pieces.size(), 2u);
  EXPECT_FALSE(outlet->pieces[1].ok());
}

}  // namespace
}  // namespace kehu::http
