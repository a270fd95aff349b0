/*
 * simulate: the production engine on a cluster that is described in a file, offline.
 *
 * A scenario says what a cluster looks like, which actions run and for how many rounds; the result says what was decided and how things
 * stand after each round. A scenario is untrusted: it is bounded and checked, and an error names the place ("workloads[3].pods[0].status").
 */
#ifndef STINT_SIMULATE_H
#define STINT_SIMULATE_H

#include <stint/base.h>
#include <stint/text.h>

/* The result document, owned by the caller. NULL: *err (STINT_USAGE) says what is wrong and where. The same bytes for the same scenario. */
struct stint_json *stint_simulate(const struct stint_json *scenario, struct stint_error **err);

#endif
