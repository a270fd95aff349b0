/*
 * options: the table of options, and the three ways into it: defaults, file, command line. See options.h.
 *
 * Invariant: every value passes the same setter, so that the file and the command line accept and refuse the same things.
 */
#include <scheduler/options.h>

#include <stint/text.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCHEDULER_NAMES = 8, MAX_NAME = 253, MAX_CONFIG_BYTES = 64 * 1024, MAX_FACTOR = 100, MAX_COUNT = 1000000 };
enum { HOLD_MOVED_MS = 60 * 1000 };
enum { MAX_POOL_NAME = 63, MAX_POOL_PLACEMENTS = 256 };
enum option_type {
	TEXT,
	NAMES,
	TRUTH,
	PLACEMENT,
	POOL,
	POOL_PLACEMENTS,
	LISTEN,
	LEVEL,
	DURATION,
	FACTOR,
	COUNT,
	EVICTIONS,
	BACKFILL,
	FLAG
};

static const struct option {
	const char *name;
	enum option_type type;
	const char *argument;
	const char *otherwise;
	size_t offset;
	bool in_file;
	const char *help;
} table[] = {
#define AT(member) offsetof(struct stint_scheduler_options, member)
	{"kubeconfig", TEXT, "FILE", NULL, AT(kubeconfig), true,
		"the cluster to serve; without it KUBECONFIG, ~/.kube/config, then in-cluster"},
	{"scheduler-name", NAMES, "N[,N...]", "stint-scheduler", AT(scheduler_names), true, "the values of spec.schedulerName to serve"},
	{"listen", LISTEN, "ADDRESS:PORT", NULL, AT(listen), true,
		"HTTPS: /metrics /healthz /readyz /v1/why; without it 127.0.0.1:0, in a cluster :8443"},
	{"leader-elect", TRUTH, "BOOL", "true", AT(leader_elect), true, "schedule only while holding the Lease stint-scheduler"},
	{"lease-namespace", TEXT, "NAMESPACE", NULL, AT(lease_namespace), true,
		"where the Lease is; without it the pod's own, else kube-system"},
	{"gpu-placement", PLACEMENT, "binpack|spread|fragmentation", "binpack", AT(gpu_placement), true,
		"which nodes and devices pods with GPUs go to"},
	{"node-placement", PLACEMENT, "binpack|spread|fragmentation", "binpack", AT(node_placement), true,
		"which nodes pods without GPUs go to"},
	{"pool-placement", POOL_PLACEMENTS, "POOL=PLACEMENT[,...]", NULL, AT(pool_placements), true,
		"what --gpu-placement is in that pool of nodes; may be repeated. A pool is what label kai.scheduler/node-pool names, and "
		"\"default\" without it"},
	{"node-pool", POOL, "POOL", NULL, AT(node_pool), true,
		"serve the nodes, queues and workloads of that pool alone, where each pool has a scheduler of its own; without it all "
		"pools, in "
		"the order that a workload lists them. Its pods get the pool's label when they are bound, which needs "
		"the roles stint-scheduler-node-pool of deploy/rbac.yaml"},
	{"evictions", EVICTIONS, "budgets|direct|off", "budgets", AT(evictions), true,
		"how running work is taken back for what has a better right to its place: through the Eviction API, so that disruption "
		"budgets "
		"hold; by deleting pods (needs the right to); or not at all"},
	{"eviction-rate", COUNT, "N", "500", AT(eviction_rate), true, "evictions a second at most; 0: no bound"},
	{"reclaim-min-runtime", DURATION, "DURATION", "0", AT(reclaim_min_runtime_ms), true,
		"how long a workload has run before other queues may take it back, where no queue says"},
	{"preempt-min-runtime", DURATION, "DURATION", "0", AT(preempt_min_runtime_ms), true,
		"the same for work of higher priority in its own queue"},
	{"stale-grace", DURATION, "DURATION", "60s", AT(stale_grace_ms), true, "how long a gang may run with fewer pods than it needs"},
	{"consolidation-max", COUNT, "N", "16", AT(consolidation_max), true,
		"workloads that one decision may move to make room; 0: none are moved for that"},
	{"backfill", BACKFILL, "easy|conservative|none", "easy", AT(backfill), true,
		"whether room is kept for blocked gangs where declared times tell their start: for the first, for all, or for none"},
	{"usage-half-life", DURATION, "DURATION", "0", AT(usage_half_life_ms), true,
		"let past use of a queue count against its share beyond quota, half as much after each DURATION; 0: it does not count"},
	{"usage-factor", FACTOR, "K", "1", AT(usage_factor), true, "how much past use counts, 0 to 100"},
	{"agent-image", TEXT, "IMAGE", "stint-agent:" STINT_VERSION, AT(agent_image), true, "image of the pods that hold shared devices"},
	{"log-level", LEVEL, "error|warn|info|debug", "info", AT(log_level), true, "how much to say on standard error"},
	{"journal", TEXT, "FILE", NULL, AT(journal), true,
		"record all that goes into the engine and every decision in FILE, JSON lines that stint simulate --replay decides again; "
		"the one before "
		"is kept as FILE.1"},
	{"journal-size", COUNT, "MIB", "256", AT(journal_mib), true,
		"when so many MiB have been recorded the cluster is read anew and another journal begins; 0: never"},
	{"config", TEXT, "FILE", NULL, AT(config), false, "YAML with these options by name; the command line wins"},
	{"help", FLAG, NULL, NULL, AT(help), false, "print this"},
	{"version", FLAG, NULL, NULL, AT(version), false, "print the version"},
#undef AT
};

static const char *const eviction_words[] = {
	[STINT_EVICTIONS_BUDGETS] = "budgets", [STINT_EVICTIONS_DIRECT] = "direct", [STINT_EVICTIONS_OFF] = "off"};
static const char *const backfill_words[] = {
	[STINT_BACKFILL_EASY] = "easy", [STINT_BACKFILL_CONSERVATIVE] = "conservative", [STINT_BACKFILL_NONE] = "none"};
static const char *const level_words[] = {
	[STINT_LOG_ERROR] = "error", [STINT_LOG_WARN] = "warn", [STINT_LOG_INFO] = "info", [STINT_LOG_DEBUG] = "debug"};

static void *member(struct stint_scheduler_options *options, const struct option *option)
{
	return (char *)options + option->offset;
}

static const struct option *find_option(const char *name, size_t length)
{
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
			return &table[i];
	}
	return NULL;
}

/* spec.schedulerName is a DNS-1123 subdomain. */
static bool is_scheduler_name(const char *name)
{
	const size_t length = strlen(name);
	if (length == 0 || length > MAX_NAME || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != length)
		return false;
	return name[0] != '-' && name[0] != '.' && name[length - 1] != '-' && name[length - 1] != '.';
}

static bool set_names(char ***names, const char *origin, const char *value, struct stint_error **err)
{
	char **words = stint_split(value, ", ");
	size_t count = 0;
	bool good = true;
	for (; words[count] && good; count++)
		good = is_scheduler_name(words[count]);
	if (!good || count == 0 || count > MAX_SCHEDULER_NAMES) {
		stint_strings_free(words);
		return stint_fail(err, STINT_USAGE,
			"%s: \"%s\" are no scheduler names: give one to %d names of lower-case letters, digits, - and .", origin, value,
			MAX_SCHEDULER_NAMES);
	}
	stint_strings_free(*names);
	*names = words;
	return true;
}

static bool set_truth(bool *truth, const char *origin, const char *value, struct stint_error **err)
{
	const bool yes = strcmp(value, "true") == 0;
	if (!yes && strcmp(value, "false") != 0)
		return stint_fail(err, STINT_USAGE, "%s: \"%s\" is neither true nor false", origin, value);
	*truth = yes;
	return true;
}

static bool set_word(int *word, const char *origin, const char *value, const char *const *words, size_t count, struct stint_error **err)
{
	stint_auto_buf known = {0};
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], value) == 0) {
			*word = (int)i;
			return true;
		}
		stint_buf_printf(&known, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	}
	return stint_fail(err, STINT_USAGE, "%s: \"%s\" is not known: say %s", origin, value, known.data);
}

static bool set_factor(double *factor, const char *origin, const char *value, struct stint_error **err)
{
	char *end = NULL;
	const double number = strtod(value, &end);
	if (end == value || *end || !(number >= 0 && number <= MAX_FACTOR))
		return stint_fail(err, STINT_USAGE, "%s: \"%s\" is no number from 0 to %d", origin, value, MAX_FACTOR);
	*factor = number;
	return true;
}

static const struct {
	const char *name;
	enum stint_placement placement;
} placements[] = {{"binpack", STINT_BINPACK}, {"spread", STINT_SPREAD}, {"fragmentation", STINT_FRAGMENTATION}};

static bool set_placement(enum stint_placement *placement, const char *origin, const char *value, struct stint_error **err)
{
	for (size_t i = 0; i < STINT_COUNT(placements); i++) {
		if (strcmp(value, placements[i].name) == 0) {
			*placement = placements[i].placement;
			return true;
		}
	}
	return stint_fail(err, STINT_USAGE, "%s: \"%s\" is no placement: say binpack, spread or fragmentation", origin, value);
}

/* The value of a label, and part of a Lease's name. */
static bool set_pool(char **pool, const char *origin, const char *value, struct stint_error **err)
{
	if (!is_scheduler_name(value) || strlen(value) > MAX_POOL_NAME)
		return stint_fail(err, STINT_USAGE, "%s: \"%s\" is no node pool: give lower-case letters, digits, - and ., %d at most",
			origin, value, MAX_POOL_NAME);
	free(*pool);
	*pool = stint_strdup(value);
	return true;
}

/* The last word on a pool counts. */
static void keep_placement(struct stint_scheduler_options *options, char *pool, enum stint_placement placement)
{
	uint32_t at = 0;
	while (at < options->pool_placements_count && strcmp(options->pool_placements[at].pool, pool) != 0)
		at++;
	struct stint_pool_placement of = stint_pool_placement_of(pool, placement);
	if (at < options->pool_placements_count) {
		free(pool);
		of.pool = options->pool_placements[at].pool;
	} else {
		options->pool_placements = stint_realloc(options->pool_placements, (at + 1) * sizeof(*options->pool_placements));
		options->pool_placements_count++;
	}
	options->pool_placements[at] = of;
}

static bool set_pool_placements(struct stint_scheduler_options *options, const char *origin, const char *value, struct stint_error **err)
{
	char **words = stint_split(value, ", ");
	bool good = words[0] != NULL;
	for (char **word = words; *word && good; word++) {
		const char *equals = strchr(*word, '=');
		enum stint_placement placement = STINT_BINPACK;
		if (!equals || equals == *word || options->pool_placements_count >= MAX_POOL_PLACEMENTS) {
			good = false;
			break;
		}
		if (!set_placement(&placement, origin, equals + 1, err)) {
			stint_strings_free(words);
			return false;
		}
		keep_placement(options, stint_strndup(*word, (size_t)(equals - *word)), placement);
	}
	stint_strings_free(words);
	if (good)
		return true;
	return stint_fail(err, STINT_USAGE,
		"%s: \"%s\" says no placement of a pool: write POOL=PLACEMENT, as h100=spread, for %d pools at most", origin, value,
		MAX_POOL_PLACEMENTS);
}

static bool set_option(struct stint_scheduler_options *options, const struct option *option, const char *origin, const char *value,
	struct stint_error **err)
{
	void *place = member(options, option);
	switch (option->type) {
	case NAMES: return set_names(place, origin, value, err);
	case TRUTH:
	case FLAG: return set_truth(place, origin, value, err);
	case PLACEMENT: return set_placement(place, origin, value, err);
	case POOL: return set_pool(place, origin, value, err);
	case POOL_PLACEMENTS: return set_pool_placements(options, origin, value, err);
	case DURATION:
		if (stint_duration_lacks_unit(value))
			return stint_fail(err, STINT_USAGE, "%s: \"%s\" has no unit: write %ss for seconds", origin, value, value);
		if (!stint_duration_parse(value, place))
			return stint_fail(err, STINT_USAGE, "%s: \"%s\" is no duration: write 90s, 12h or 7d", origin, value);
		return true;
	case COUNT: {
		int64_t *number = place;
		if (!stint_parse_int(value, 0, MAX_COUNT, number))
			return stint_fail(err, STINT_USAGE, "%s: \"%s\" is no whole number from 0 to %d", origin, value, MAX_COUNT);
		return true;
	}
	case EVICTIONS: return set_word(place, origin, value, eviction_words, STINT_COUNT(eviction_words), err);
	case BACKFILL: return set_word(place, origin, value, backfill_words, STINT_COUNT(backfill_words), err);
	case FACTOR: return set_factor(place, origin, value, err);
	case LISTEN: {
		stint_autofree char *address = NULL;
		int port = 0;
		if (!stint_listen_parse(value, &address, &port, err))
			return stint_fail_wrap(err, "%s", origin);
		break;
	}
	case LEVEL: {
		bool known = false;
		for (size_t i = 0; i < STINT_COUNT(level_words); i++)
			known = known || strcmp(value, level_words[i]) == 0;
		if (!known)
			return stint_fail(err, STINT_USAGE, "%s: \"%s\" is no level: say error, warn, info or debug", origin, value);
		break;
	}
	case TEXT:
		if (!value[0])
			return stint_fail(err, STINT_USAGE, "%s: the value is empty: leave the option out, or give one", origin);
		break;
	}
	char **text = place;
	free(*text);
	*text = stint_strdup(value);
	return true;
}

/* A value of the file as the command line would write it; NULL for what no option takes. */
static char *text_of(const struct stint_json *json)
{
	if (stint_json_type(json) == STINT_JSON_STRING)
		return stint_strdup(stint_json_string(json));
	if (stint_json_type(json) == STINT_JSON_ARRAY) {
		stint_auto_buf list = {0};
		stint_json_each(item, json) {
			if (!stint_json_string(item))
				return NULL;
			stint_buf_printf(&list, "%s%s", list.length ? "," : "", stint_json_string(item));
		}
		return stint_buf_steal(&list);
	}
	return stint_json_type(json) == STINT_JSON_BOOL || stint_json_type(json) == STINT_JSON_NUMBER ? stint_json_print(json) : NULL;
}

bool stint_scheduler_options_read(
	struct stint_scheduler_options *options, const char *origin, const char *data, size_t length, struct stint_error **err)
{
	stint_auto_json *documents = stint_yaml_parse(origin, data, length, err);
	if (!documents)
		return false;
	const struct stint_json *root = stint_json_first(documents);
	if (!root)
		return true;
	if (stint_json_next(root) || stint_json_type(root) != STINT_JSON_OBJECT)
		return stint_fail(err, STINT_USAGE,
			"%s: one map of option names and values is expected, as \"scheduler-name: stint-scheduler\"", origin);
	stint_json_each(item, root) {
		const char *key = stint_json_key(item);
		const struct option *option = find_option(key, strlen(key));
		if (!option || !option->in_file)
			return stint_fail(
				err, STINT_USAGE, "%s: \"%s\" is no option of the file: stint-scheduler --help lists them", origin, key);
		stint_autofree char *value = text_of(item);
		stint_autofree char *where = stint_format("%s: %s", origin, key);
		if (!value)
			return stint_fail(err, STINT_USAGE, "%s: a text is expected", where);
		if (!set_option(options, option, where, value, err))
			return false;
	}
	return true;
}

/* Walks argv once. only_config: takes in --config alone, because the file comes before the rest. */
static bool read_arguments(int argc, char *const *argv, struct stint_scheduler_options *options, bool only_config, struct stint_error **err)
{
	for (int i = 1; i < argc; i++) {
		const char *word = strcmp(argv[i], "-h") == 0 ? "--help" : argv[i];
		if (strncmp(word, "--", 2) != 0)
			return stint_fail(
				err, STINT_USAGE, "\"%s\" is not expected: options begin with --; stint-scheduler --help lists them", word);
		const char *equals = strchr(word, '=');
		const size_t length = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
		const struct option *option = find_option(word + 2, length);
		if (!option)
			return stint_fail(
				err, STINT_USAGE, "there is no option %.*s: stint-scheduler --help lists them", (int)length + 2, word);
		stint_autofree char *origin = stint_format("--%s", option->name);
		const char *value = equals ? equals + 1 : NULL;
		if (!value && (option->type == FLAG || option->type == TRUTH))
			value = "true";
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value)
			return stint_fail(err, STINT_USAGE, "%s needs a value: %s %s", origin, origin, option->argument);
		if (only_config == (option->offset == offsetof(struct stint_scheduler_options, config)) &&
			!set_option(options, option, origin, value, err))
			return false;
	}
	return true;
}

bool stint_scheduler_options_parse(int argc, char *const *argv, struct stint_scheduler_options *options, struct stint_error **err)
{
	*options = (struct stint_scheduler_options){0};
	bool done = true;
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		done = done && (!table[i].otherwise || set_option(options, &table[i], table[i].name, table[i].otherwise, err));
	done = done && read_arguments(argc, argv, options, true, err);
	if (done && options->config) {
		stint_auto_buf file = {0};
		done = stint_buf_read_file(&file, options->config, MAX_CONFIG_BYTES, err) &&
			stint_scheduler_options_read(options, options->config, file.data ? file.data : "", file.length, err);
	}
	done = done && read_arguments(argc, argv, options, false, err);
	if (!done)
		stint_scheduler_options_clear(options);
	return done;
}

void stint_scheduler_options_policy(const struct stint_scheduler_options *options, struct stint_policy *policy)
{
	*policy = stint_policy_of(options->gpu_placement, options->node_placement);
	policy->pools = options->pool_placements;
	policy->pools_count = options->pool_placements_count;
	if (options->evictions != STINT_EVICTIONS_OFF)
		stint_policy_evict(policy);
	policy->usage_factor = options->usage_factor;
	policy->preempt_min_runtime_ms = options->preempt_min_runtime_ms;
	policy->reclaim_min_runtime_ms = options->reclaim_min_runtime_ms;
	policy->stale_grace_ms = options->stale_grace_ms;
	policy->consolidation_max_victims = (uint32_t)options->consolidation_max;
	policy->backfill = options->backfill;
	policy->hold_moved_ms = HOLD_MOVED_MS;
	policy->prefer_pod_affinity = true; /* as in KAI's operator: the plugin is part of every cluster's configuration */
}

void stint_scheduler_options_clear(struct stint_scheduler_options *options)
{
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		void *place = member(options, &table[i]);
		if (table[i].type == NAMES)
			stint_strings_free(*(char ***)place);
		else if (table[i].type == TEXT || table[i].type == POOL || table[i].type == LISTEN || table[i].type == LEVEL)
			free(*(char **)place);
	}
	for (uint32_t i = 0; i < options->pool_placements_count; i++)
		free((void *)(uintptr_t)options->pool_placements[i].pool);
	free(options->pool_placements);
	*options = (struct stint_scheduler_options){0};
}

enum { LEFT_WIDTH = 36, LINE_WIDTH = 110 };

/* In lines of LINE_WIDTH, all of them as far to the right as the first. */
static void add_wrapped(struct stint_buf *out, const char *text)
{
	const size_t indent = LEFT_WIDTH + 2;
	size_t column = indent;
	while (*text) {
		const size_t word = strcspn(text, " ");
		if (column > indent && column + 1 + word > LINE_WIDTH) {
			stint_buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		stint_buf_printf(out, " %.*s", (int)word, text);
		column += 1 + word;
		text += word + strspn(text + word, " ");
	}
	stint_buf_putc(out, '\n');
}

void stint_scheduler_options_help(struct stint_buf *out)
{
	stint_buf_puts(out,
		"usage: stint-scheduler [OPTION...]\n"
		"Places pods that ask for GPUs, whole or in part, under the quotas of their queues.\n\n");
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		stint_autofree char *left =
			stint_format("--%s%s%s", table[i].name, table[i].argument ? " " : "", table[i].argument ? table[i].argument : "");
		stint_buf_printf(out, strlen(left) > LEFT_WIDTH ? "  %s\n  %*s" : "  %s%*s", left,
			strlen(left) > LEFT_WIDTH ? LEFT_WIDTH : (int)(LEFT_WIDTH - strlen(left)), "");
		stint_autofree char *text = table[i].otherwise ? stint_format("%s (default %s)", table[i].help, table[i].otherwise)
							       : stint_strdup(table[i].help);
		add_wrapped(out, text);
	}
}

bool stint_listen_parse(const char *text, char **address, int *port, struct stint_error **err)
{
	const char *colon = strrchr(text, ':');
	int64_t number = 0;
	if (!colon || !stint_parse_int(colon + 1, 0, 65535, &number))
		return stint_fail(
			err, STINT_USAGE, "\"%s\" is no address to listen on: write ADDRESS:PORT, as 127.0.0.1:8443 or :8443", text);
	size_t length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	stint_autofree char *host = length ? stint_strndup(text, length) : NULL;
	struct in6_addr bytes;
	if (host && strcmp(host, "localhost") == 0) {
		free(host);
		host = stint_strdup("127.0.0.1");
	}
	if (host && inet_pton(AF_INET, host, &bytes) != 1 && inet_pton(AF_INET6, host, &bytes) != 1)
		return stint_fail(err, STINT_USAGE,
			"\"%s\" is no numeric address to listen on: write it as 127.0.0.1, [::1] or leave it out for all", host);
	*address = stint_steal(&host);
	*port = (int)number;
	return true;
}

enum stint_log_level stint_log_level_of(const struct stint_scheduler_options *options)
{
	for (size_t i = 0; i < STINT_COUNT(level_words); i++) {
		if (strcmp(options->log_level, level_words[i]) == 0)
			return (enum stint_log_level)i;
	}
	return STINT_LOG_INFO;
}
