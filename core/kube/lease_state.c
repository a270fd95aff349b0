/* See lease_state.h. */
#include "core/kube/lease_state.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static void replace(char **text, const char *with)
{
	char *copy = stint_strdup(with);
	free(*text);
	*text = copy;
}

/* Takes over what the record says; a change of holder or of its renewal starts the count anew. */
static void observe(struct lease_state *state, const struct stint_json *lease, int64_t now_ms)
{
	const struct stint_json *spec = stint_json_get(lease, "spec");
	const char *holder = stint_json_string(stint_json_get(spec, "holderIdentity"));
	const char *renewed = stint_json_string(stint_json_get(spec, "renewTime"));
	if (!state->seen_ms || !same(holder, state->holder) || !same(renewed, state->renewed))
		state->seen_ms = now_ms;
	replace(&state->holder, holder);
	replace(&state->renewed, renewed);
	const int64_t seconds = stint_json_int_or(stint_json_get(spec, "leaseDurationSeconds"), state->lease_ms / 1000);
	state->held_for_ms = seconds < 0 ? 0 : seconds > INT32_MAX ? INT64_C(1000) * INT32_MAX : seconds * 1000;
	state->transitions = stint_json_int_or(stint_json_get(spec, "leaseTransitions"), 0);
}

enum lease_step lease_seen(struct lease_state *state, const struct stint_json *lease, int64_t now_ms)
{
	observe(state, lease, now_ms);
	const bool ours = same(state->holder, state->identity);
	if (state->leads && !ours)
		state->leads = false; /* taken from us: we were too slow, or somebody edited it */
	if (!lease || !state->holder || !*state->holder || ours)
		return LEASE_TAKE;
	return now_ms >= state->seen_ms + state->held_for_ms ? LEASE_TAKE : LEASE_WAIT;
}

void lease_written(struct lease_state *state, const struct stint_json *lease, int64_t sent_ms, int64_t now_ms)
{
	observe(state, lease, now_ms);
	state->leads = same(state->holder, state->identity) && sent_ms + state->renew_ms > now_ms;
	state->renewed_ms = sent_ms;
}

int64_t lease_until_ms(const struct lease_state *state)
{
	return state->leads ? state->renewed_ms + state->renew_ms : 0;
}

void lease_fill(const struct lease_state *state, struct stint_json *lease, int64_t wall_us, bool release)
{
	char now[STINT_TIME_SIZE];
	struct stint_json *spec = stint_json_ensure_object(lease, "spec");
	const bool ours = same(state->holder, state->identity);
	const bool first = !state->seen_ms || (!state->renewed && !state->holder);
	stint_time_format_micro(wall_us, now);
	if (!ours || release || !stint_json_get(spec, "acquireTime"))
		stint_json_set_string(spec, "acquireTime", now);
	stint_json_set_string(spec, "renewTime", now);
	stint_json_set_string(spec, "holderIdentity", release ? "" : state->identity);
	stint_json_set_int(spec, "leaseDurationSeconds", release ? 1 : (state->lease_ms + 999) / 1000);
	stint_json_set_int(spec, "leaseTransitions", ours || first ? state->transitions : state->transitions + 1);
}

void lease_state_reset(struct lease_state *state)
{
	free(stint_steal(&state->holder));
	free(stint_steal(&state->renewed));
}
