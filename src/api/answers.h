#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "api/app.h"
#include "api/problem.h"
#include "base/check.h"

// Ways in which handlers answer.
namespace kehu::api {

inline Response to_answer(absl::StatusOr<Response> answer) {
  return answer.ok() ? *std::move(answer) : to_response(problem_of(answer.status()));
}

// A responder on its way through the apply thread: answers with `otherwise` when the look that holds it is
// dropped.
class WaitingResponder {
 public:
  WaitingResponder(Responder responder, absl::AnyInvocable<Response()> otherwise)
      : responder_(std::move(responder)), otherwise_(std::move(otherwise)) {}
  WaitingResponder(WaitingResponder&&) = default;
  WaitingResponder& operator=(WaitingResponder&&) = delete;
  ~WaitingResponder() {
    if (!responder_.answered()) responder_.send(otherwise_());
  }

  void send(Response response) { responder_.send(std::move(response)); }

 private:
  Responder responder_;
  absl::AnyInvocable<Response()> otherwise_;
};

// Runs `look` on the apply thread and sends the JSON it returns.
inline void answer_from_replica(App& app, Responder responder,
                                absl::AnyInvocable<absl::StatusOr<std::string>(engine::Replica&)> look) {
  WaitingResponder waiting(std::move(responder),
                           [&app] { return to_response(problem_of(app.engine().why_dropped())); });
  app.engine().inspect(
      [waiting = std::move(waiting), look = std::move(look)](engine::Replica& replica) mutable {
        auto body = look(replica);
        waiting.send(body.ok() ? Response::json(*std::move(body)) : to_response(problem_of(body.status())));
      });
}

// Runs `look`, which gives a StatusOr, on the apply thread and waits for it. Not on threads that must not
// wait.
template <class Look>
std::invoke_result_t<Look&, engine::Replica&> ask_replica(App& app, Look look) {
  auto answer = app.engine().ask<std::invoke_result_t<Look&, engine::Replica&>>(std::move(look));
  if (!answer.ok()) return answer.status();
  return *std::move(answer);
}

// What a worker needs of an administrator's request, which lives only as long as the handler's call.
struct Command {
  std::vector<std::pair<std::string, std::string>> parameters;  // of the path, decoded
  std::string body;
  std::string actor;

  static Command of(App& app, const Request& request) {
    Command command{.parameters = {}, .body = std::string(request.body), .actor = app.admin(request)->name};
    for (const PathParameter& parameter : request.parameters) {
      command.parameters.emplace_back(parameter.name, request.parameter(parameter.name));
    }
    return command;
  }
  // The route must declare the name.
  const std::string& parameter(std::string_view name) const {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [name](const auto& parameter) { return parameter.first == name; });
    KEHU_CHECK(found != parameters.end());
    return found->second;
  }
};

// Handlers of functions `void(App&, const Request&, Responder)`, which must not wait.
template <class Function>
Handler on_connection(App& app, Function function) {
  return [&app, function](const Request& request, Responder responder) {
    function(app, request, std::move(responder));
  };
}

// Handlers of functions `absl::StatusOr<Response>(App&, const Command&)`, which may. For admin routes.
template <class Function>
Handler on_worker(App& app, Function function) {
  return [&app, function](const Request& request, Responder responder) {
    app.workers().answer(std::move(responder), [&app, function, command = Command::of(app, request)] {
      return to_answer(function(app, command));
    });
  };
}

// What most admin routes answer besides their success.
inline std::vector<AnswerDoc> with_admin_answers(std::vector<AnswerDoc> answers) {
  answers.push_back({401, "The admin token is missing or wrong", "application/problem+json", "Problem"});
  return answers;
}

}  // namespace kehu::api
