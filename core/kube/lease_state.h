/*
 * Who leads: the rules of client-go's leader election as a pure state machine, without I/O and without a clock of its own. Not public.
 *
 * No clock of another machine is trusted. A holder is alive as long as its record changes; when it has not changed for the duration that
 * it names, counted on our clock from the moment when we saw it first, the Lease may be taken. A leader counts its own time from the
 * moment when it *sent* the renewal, so that it always stops before others may begin.
 */
#ifndef STINT_KUBE_LEASE_STATE_H
#define STINT_KUBE_LEASE_STATE_H

#include <stint/base.h>
#include <stint/text.h>

struct lease_state {
	const char *identity; /* borrowed */
	int64_t lease_ms, renew_ms;
	/* What was seen last, and when it was seen to change. */
	char *holder; /* NULL or "": nobody */
	char *renewed; /* spec.renewTime as written: its change is a sign of life, its value means nothing */
	int64_t seen_ms;
	int64_t held_for_ms; /* leaseDurationSeconds of the record */
	int64_t transitions;
	/* Ours. */
	bool leads;
	int64_t renewed_ms; /* when the last renewal that succeeded was sent; valid while leads */
};

enum lease_step {
	LEASE_WAIT, /* somebody else holds it and may be alive */
	LEASE_TAKE, /* free, expired, or ours: write */
};

/* A Lease was read at now_ms (NULL: there is none). Says what to do. May end our lead: look at state->leads. */
enum lease_step lease_seen(struct lease_state *state, const struct stint_json *lease, int64_t now_ms);
/* Our write, sent at sent_ms, has succeeded; `lease` is what the server answered. */
void lease_written(struct lease_state *state, const struct stint_json *lease, int64_t sent_ms, int64_t now_ms);
/* Until when a leader may act; 0 when it does not lead. */
int64_t lease_until_ms(const struct lease_state *state);
/* Fills spec for our next write. wall_us: the time to write down. A release leaves no holder and a duration of one second. */
void lease_fill(const struct lease_state *state, struct stint_json *lease, int64_t wall_us, bool release);
void lease_state_reset(struct lease_state *state);

#endif
