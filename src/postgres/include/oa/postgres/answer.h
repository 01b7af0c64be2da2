// Waiting for what Postgres answers, as long as it lives: the connection of a process that stands
// still (a machine frozen by its hypervisor, a disk that hangs) stays open and says nothing, and
// TCP's keepalives are answered by the kernel.
#pragma once

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace oa::postgres {

/// As PQgetResult() of a connection that PQsetnonblocking() was called for, sending first what is
/// still to be sent. A statement may take as long as it likes. When the server has said nothing for
/// 5 s, a connection of its own asks whether it takes connections (PQping, 5 s); one that twice does
/// not is given up: the socket is shut and the result is libpq's error of a lost connection. So a
/// server that stands still costs its callers 15 to 20 s. One session alone that stands still is
/// not noticed.
pg_result* next_result(pg_conn* connection);

}  // namespace oa::postgres
