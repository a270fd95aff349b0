/*
 * Rules of pods and of what places them: names that must be told apart, affinities, tolerations, gates.
 */
#include "core/sandbox/schema/check.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static bool listed(const struct stint_json *list, const char *key, const char *name, const struct stint_json *before)
{
	stint_json_each(item, list) {
		if (item == before)
			return false;
		if (strcmp(text_of(item, key), name) == 0)
			return true;
	}
	return false;
}

/* Names that came before in this list, or stand in `others`, are duplicates. */
static void check_unique(struct check *check, const struct stint_json *spec, const char *list, const char *key, const char *others)
{
	const struct stint_json *items = stint_json_get(spec, list);
	size_t index = 0;
	stint_json_each(item, items) {
		stint_autofree char *place = stint_format("%s[%zu].%s", list, index++, key);
		const char *name = text_of(item, key);
		if (strcmp(list, "schedulingGates") == 0)
			*strrchr(place, '.') = 0; /* gates are named by their place alone */
		if (*name && (listed(items, key, name, item) || (others && listed(stint_json_get(spec, others), key, name, NULL))))
			schema_check_duplicate(check, place, name);
	}
}

/* A StatefulSet gives its pods a volume for each of its claim templates, by their names. */
static bool is_claimed(const struct check *check, const char *name)
{
	stint_json_each(claim, stint_json_at(check->object, "spec", "volumeClaimTemplates")) {
		if (strcmp(stint_json_string_or(stint_json_at(claim, "metadata", "name"), ""), name) == 0)
			return true;
	}
	return false;
}

static void check_mounted_volumes(struct check *check, const struct stint_json *spec, const char *list)
{
	const struct stint_json *volumes = stint_json_get(spec, "volumes");
	size_t index = 0;
	stint_json_each(container, stint_json_get(spec, list)) {
		size_t at = 0;
		stint_json_each(mount, stint_json_get(container, "volumeMounts")) {
			stint_autofree char *place = stint_format("%s[%zu].volumeMounts[%zu].name", list, index, at++);
			const char *name = text_of(mount, "name");
			if (*name && !listed(volumes, "name", name, NULL) && !is_claimed(check, name))
				schema_check_not_found(check, place, name);
		}
		index++;
	}
}

static void check_init_containers(struct check *check, const struct stint_json *spec)
{
	static const char *const forbidden[] = {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"};
	size_t index = 0;
	stint_json_each(container, stint_json_get(spec, "initContainers")) {
		const char *restart = text_of(container, "restartPolicy");
		for (size_t i = 0; i < STINT_COUNT(forbidden) && strcmp(restart, "Always") != 0; i++) {
			stint_autofree char *place = stint_format("initContainers[%zu].%s", index, forbidden[i]);
			if (stint_json_get(container, forbidden[i]))
				schema_check_forbidden(check, place, "may not be set for init containers without restartPolicy=Always");
		}
		index++;
	}
}

static void check_resource_claims(struct check *check, const struct stint_json *spec)
{
	const struct stint_json *claims = stint_json_get(spec, "resourceClaims");
	size_t index = 0;
	stint_json_each(claim, claims) {
		stint_autofree char *place = stint_format("resourceClaims[%zu]", index++);
		bool by_name = stint_json_get(claim, "resourceClaimName"), by_template = stint_json_get(claim, "resourceClaimTemplateName");
		if (by_name && by_template)
			schema_check_bad(
				check, place, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
		else if (!by_name && !by_template)
			schema_check_bad(check, place, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
	}
	size_t at = 0;
	stint_json_each(container, stint_json_get(spec, "containers")) {
		size_t n = 0;
		stint_json_each(used, stint_json_at(container, "resources", "claims")) {
			stint_autofree char *place = stint_format("containers[%zu].resources.claims[%zu]", at, n++);
			const char *name = text_of(used, "name");
			if (*name && !listed(claims, "name", name, NULL))
				schema_check_cause(check, "FieldValueNotFound", place,
					"Not found: \"%s\": must be one of the names in pod.spec.resourceClaims%s", name,
					stint_json_first(claims) ? "" : " which is empty");
		}
		at++;
	}
}

static void check_names(struct check *check, const struct stint_json *spec)
{
	static const struct {
		const char *field;
		enum name_form form;
	} names[] = {
		{"serviceAccountName", NAME_SUBDOMAIN},
		{"nodeName", NAME_SUBDOMAIN},
		{"hostname", NAME_LABEL},
		{"subdomain", NAME_LABEL},
		{"priorityClassName", NAME_SUBDOMAIN},
		{"runtimeClassName", NAME_SUBDOMAIN},
	};
	for (size_t i = 0; i < STINT_COUNT(names); i++) {
		const char *name = text_of(spec, names[i].field);
		if (*name)
			schema_check_name(check, names[i].field, name, names[i].form);
	}
	size_t index = 0;
	stint_json_each(gate, stint_json_get(spec, "schedulingGates")) {
		stint_autofree char *place = stint_format("schedulingGates[%zu]", index++);
		schema_check_name(check, place, stint_json_string(stint_json_get(gate, "name")), NAME_QUALIFIED);
	}
}

void schema_check_pod_spec(struct check *check, const struct stint_json *spec)
{
	check_unique(check, spec, "volumes", "name", NULL);
	check_unique(check, spec, "containers", "name", NULL);
	check_unique(check, spec, "initContainers", "name", "containers");
	check_unique(check, spec, "schedulingGates", "name", NULL);
	check_unique(check, spec, "resourceClaims", "name", NULL);
	check_mounted_volumes(check, spec, "containers");
	check_mounted_volumes(check, spec, "initContainers");
	check_init_containers(check, spec);
	check_resource_claims(check, spec);
	check_names(check, spec);
	schema_check_labels(check, "nodeSelector", stint_json_get(spec, "nodeSelector"));
	bool no_dns = strcmp(text_of(spec, "dnsPolicy"), "None") == 0;
	if (no_dns && !stint_json_get(spec, "dnsConfig"))
		schema_check_missing(check, "dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None");
	else if (no_dns && !stint_json_first(stint_json_at(spec, "dnsConfig", "nameservers")))
		schema_check_missing(check, "dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None");
	static const char *const systems[] = {"linux", "windows", NULL};
	const struct stint_json *os = stint_json_get(spec, "os");
	if (os && !schema_word_in(systems, text_of(os, "name")))
		schema_check_unsupported(check, "os", text_of(os, "name"), systems);
	stint_json_each(resource, stint_json_get(spec, "overhead")) {
		stint_autofree char *place = stint_format("overhead[%s]", stint_json_key(resource));
		if (schema_quantity_sign(stint_json_string_or(resource, "0")) < 0)
			schema_check_bad(check, place, resource, "must be greater than or equal to 0");
	}
}

void schema_check_pod(struct check *check, const struct stint_json *pod)
{
	const struct stint_json *spec = stint_json_get(pod, "spec");
	if (!check->old && stint_json_first(stint_json_get(spec, "schedulingGates")) && *text_of(spec, "nodeName"))
		schema_check_forbidden(check, "spec.nodeName", "cannot be set until all schedulingGates have been cleared");
	if (!check->old && stint_json_first(stint_json_get(spec, "ephemeralContainers")))
		schema_check_forbidden(check, "spec.ephemeralContainers", "cannot be set on create");
}

void schema_check_toleration(struct check *check, const struct stint_json *toleration)
{
	const char *key = text_of(toleration, "key"), *word = text_of(toleration, "operator"), *value = text_of(toleration, "value");
	if (*key)
		schema_check_name(check, "key", key, NAME_QUALIFIED);
	else if (strcmp(word, "Exists") != 0)
		schema_check_bad_text(check, "operator", word,
			"operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
	if (stint_json_get(toleration, "tolerationSeconds") && strcmp(text_of(toleration, "effect"), "NoExecute") != 0)
		schema_check_bad_text(
			check, "effect", text_of(toleration, "effect"), "effect must be 'NoExecute' when `tolerationSeconds` is set");
	if (strcmp(word, "Exists") != 0)
		schema_check_name(check, "operator", value, NAME_LABEL_VALUE);
	else if (*value)
		schema_check_bad_text(check, "operator", value, "value must be empty when `operator` is 'Exists'");
}

void schema_check_affinity_term(struct check *check, const struct stint_json *term)
{
	const char *key = text_of(term, "topologyKey");
	if (!*key)
		schema_check_missing(check, "topologyKey", "can not be empty");
	schema_check_name(check, "topologyKey", key, NAME_QUALIFIED);
	size_t index = 0;
	stint_json_each(space, stint_json_get(term, "namespaces")) {
		stint_autofree char *place = stint_format("namespaces[%zu]", index++);
		schema_check_name(check, place, stint_json_string(space), NAME_LABEL);
	}
}

void schema_check_node_selector_requirement(struct check *check, const struct stint_json *requirement)
{
	const char *word = text_of(requirement, "operator");
	const struct stint_json *values = stint_json_get(requirement, "values");
	size_t count = stint_json_count(values);
	bool listed_values = strcmp(word, "In") == 0 || strcmp(word, "NotIn") == 0;
	if (listed_values && count == 0)
		schema_check_missing(check, "values", "must be specified when `operator` is 'In' or 'NotIn'");
	if ((strcmp(word, "Exists") == 0 || strcmp(word, "DoesNotExist") == 0) && count > 0)
		schema_check_forbidden(check, "values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	if ((strcmp(word, "Gt") == 0 || strcmp(word, "Lt") == 0) && count != 1)
		schema_check_missing(check, "values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
	/* matchFields name a field, not a label. */
	if (strcmp(text_of(requirement, "key"), "metadata.name") != 0)
		schema_check_name(check, "key", stint_json_string(stint_json_get(requirement, "key")), NAME_QUALIFIED);
}

void schema_check_node_selector(struct check *check, const struct stint_json *selector)
{
	if (!stint_json_first(stint_json_get(selector, "nodeSelectorTerms")))
		schema_check_missing(check, "nodeSelectorTerms", "must have at least one node selector term");
}

void schema_check_weight(struct check *check, const struct stint_json *term)
{
	const struct stint_json *weight = stint_json_get(term, "weight");
	int64_t number = stint_json_int_or(weight, 0);
	if (number < 1 || number > 100)
		schema_check_bad(check, "weight", weight, "must be in the range 1-100");
}

void schema_check_spread(struct check *check, const struct stint_json *constraint)
{
	const struct stint_json *skew = stint_json_get(constraint, "maxSkew");
	if (stint_json_int_or(skew, 0) < 1)
		schema_check_bad(check, "maxSkew", skew, "must be greater than zero");
	if (!*text_of(constraint, "topologyKey"))
		schema_check_missing(check, "topologyKey", "can not be empty");
}

/* Of a pod or of a container: who its processes run as. */
void schema_check_security(struct check *check, const struct stint_json *context)
{
	static const char *const ids[] = {"runAsUser", "runAsGroup", "fsGroup"};
	for (size_t i = 0; i < STINT_COUNT(ids); i++) {
		const struct stint_json *id = stint_json_get(context, ids[i]);
		int64_t number = stint_json_int_or(id, 0);
		if (number < 0 || number > INT32_MAX)
			schema_check_bad(check, ids[i], id, "must be between 0 and 2147483647, inclusive");
	}
}
