/*
 * trace: lines about requests for a person who asked for them (stint_kube_options.trace). Headers are never written, so no credential can be;
 * neither are bodies. At STINT_KUBE_TRACE_ANSWERS the query is left out, because it is long and says little.
 */
#include "core/kube/client.h"

#include <string.h>

void kube_trace_sent(const struct stint_kube *kube, const char *method, const char *target)
{
	if (kube->trace >= STINT_KUBE_TRACE_ALL) {
		stint_log(kube->logger, STINT_LOG_INFO, "> %s %s%s", method, kube->config->server, target);
	}
}

void kube_trace_ended(const struct stint_kube *kube, const char *method, const char *target, const struct kube_trace_end *end)
{
	if (kube->trace == STINT_KUBE_TRACE_NONE) {
		return;
	}
	const bool all = kube->trace >= STINT_KUBE_TRACE_ALL;
	const int length = (int)(all ? strlen(target) : strcspn(target, "?"));
	stint_auto_buf line = {0};
	stint_buf_printf(&line, "%s%s %.*s: ", all ? "< " : "", method, length, target);
	if (end->status) {
		stint_buf_printf(&line, "%d", end->status);
	} else {
		stint_buf_puts(&line, end->cancelled ? "broken off" : "no answer");
	}
	stint_buf_printf(&line, " in %lld ms", (long long)(stint_monotonic_ms() - end->since_ms));
	if (all) {
		stint_buf_printf(&line, ", %zu bytes", end->bytes);
	}
	stint_log(kube->logger, STINT_LOG_INFO, "%s", line.data);
}
