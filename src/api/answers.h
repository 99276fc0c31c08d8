#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "api/app.h"
#include "base/check.h"
#include "document/customer_name.h"
#include "gateway/intake_thread.h"
#include "http/problem.h"

// Ways in which handlers answer.
namespace kehu::api {

// Runs `look` on the apply thread and sends the JSON it returns.
inline void answer_from_replica(engine::Engine& engine, Responder responder,
                                absl::AnyInvocable<absl::StatusOr<std::string>(replica::Replica&)> look) {
  WaitingResponder waiting(std::move(responder),
                           [&engine] { return to_response(problem_of(engine.why_dropped())); });
  engine.inspect(
      [&engine, waiting = std::move(waiting), look = std::move(look)](replica::Replica& replica) mutable {
        auto body = look(replica);
        if (!engine.reads_sound(replica)) return;
        waiting.send(body.ok() ? Response::json(*std::move(body)) : to_response(problem_of(body.status())));
      });
}

// Runs `look`, which gives a StatusOr, on the apply thread and waits for it. Not on threads that must not
// wait.
template <class Look>
std::invoke_result_t<Look&, replica::Replica&> ask_replica(engine::Engine& engine, Look look) {
  auto answer = engine.ask<std::invoke_result_t<Look&, replica::Replica&>>(std::move(look));
  if (!answer.ok()) return answer.status();
  return *std::move(answer);
}

// What a worker needs of an administrator's request, which lives only as long as the handler's call.
struct Command {
  std::vector<std::pair<std::string, std::string>> parameters;  // of the path, decoded
  std::string body;
  std::string actor;

  static Command of(const Request& request) {
    Command command{.parameters = {}, .body = std::string(request.body), .actor = request.principal->name};
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

// Handlers of functions `absl::StatusOr<Response>(App&, const Command&)`, which may. For admin routes.
template <class Function>
Handler on_worker(App& app, Function function) {
  return [&app, function](const Request& request, Responder responder) {
    app.workers().answer(std::move(responder), [&app, function, command = Command::of(request)] {
      return to_answer(function(app, command));
    });
  };
}

// Answers a request with the document of the customer that its path names.
using CustomerDocument =
    std::function<absl::StatusOr<std::string>(engine::Engine&, replica::Replica&, CustomerId)>;
inline void answer_about_customer(App& app, const Request& request, Responder responder,
                                  CustomerDocument document) {
  auto name = document::parse_customer_name(gateway::intake_room(app.gateway()).names(),
                                            request.parameter("customer"));
  if (!name.ok()) return responder.send(to_response(problem_of(name.status())));
  answer_from_replica(app.engine(), std::move(responder),
                      [&app, name = *std::move(name), document = std::move(document)](
                          replica::Replica& replica) -> absl::StatusOr<std::string> {
                        const auto customer = document::find_customer(replica, name);
                        if (!customer.ok()) return customer.status();
                        return document(app.engine(), replica, *customer);
                      });
}

}  // namespace kehu::api
