/*
 * scheduler_lease: see scheduler_lease.h. Holds no state.
 */
#include "cli/scheduler_lease.h"

#include <string.h>

#include <stint/model.h>
#include <stint/workload.h>

enum { USUAL_SECONDS = 15, SKEW_MS = 3000 }; /* clocks differ: a renewal is missed only after a moment more */

const char *const cli_lease_spaces[CLI_LEASE_SPACES] = {"stint-system", "kube-system"};

bool cli_scheduler_lease_is_better(const struct stint_json *lease, const struct stint_json *other)
{
	return lease && (!other || stint_json_string_at(lease, "metadata", "annotations", "stint.dev/endpoint"));
}

struct stint_json *cli_scheduler_lease(struct stint_kube *kube, const char *pool, struct stint_error **err)
{
	stint_autofree char *name = stint_format("%s%s%s", STINT_SCHEDULER_NAME, pool ? "-" : "", pool ? pool : "");
	struct stint_json *any = NULL;
	for (size_t i = 0; i < CLI_LEASE_SPACES; i++) {
		stint_auto_error *unread = NULL;
		struct stint_json *lease = stint_kube_get(kube, &stint_kube_leases, cli_lease_spaces[i], name, &unread);
		if (!lease && unread->code != STINT_NOT_FOUND)
			stint_error_move(err, &unread);
		if (cli_scheduler_lease_is_better(lease, any)) {
			stint_json_free(any);
			any = stint_steal(&lease);
		}
		stint_json_free(lease);
	}
	if (any && err)
		stint_error_clear(err);
	return any;
}

char *cli_scheduler_trouble(const struct stint_json *lease, int64_t now_ms)
{
	const struct stint_json *spec = stint_json_get(lease, "spec");
	const char *holder = stint_json_string_or(stint_json_get(spec, "holderIdentity"), "");
	const char *renewed = stint_json_string_or(stint_json_get(spec, "renewTime"), "");
	const char *name = stint_json_string_or(stint_json_at(lease, "metadata", "name"), STINT_SCHEDULER_NAME);
	int64_t renewed_ms;
	char ago[STINT_TIME_SIZE];
	if (!lease)
		return stint_strdup("no scheduler has come to this cluster yet: there is no Lease " STINT_SCHEDULER_NAME);
	if (!stint_time_parse(renewed, strlen(renewed), &renewed_ms))
		return *holder ? NULL : stint_format("no scheduler holds the Lease %s", name);
	stint_duration_format(now_ms > renewed_ms ? now_ms - renewed_ms : 0, ago);
	if (!*holder)
		return stint_format("no scheduler holds the Lease %s: the last one gave it back %s ago", name, ago);
	const int64_t lasts_ms = stint_json_int_or(stint_json_get(spec, "leaseDurationSeconds"), USUAL_SECONDS) * 1000;
	if (now_ms <= renewed_ms + lasts_ms + SKEW_MS)
		return NULL;
	return stint_format("no scheduler works: %s holds the Lease %s and has not renewed it for %s", holder, name, ago);
}
