/*
 * What the decoders of core/model share: the two tables of a model, and small readers on top of the cursor that take a text into the
 * model. All readers accept null as absent, replace (and release) what a key that comes twice had set, and return false only with
 * cursor->error set.
 */
#ifndef STINT_MODEL_PRIVATE_H
#define STINT_MODEL_PRIVATE_H

#include <stint/model.h>

#include <string.h>

/* A counted text: the pointer that everybody sees is `bytes`. */
struct text {
	uint32_t refs;
	uint32_t hash;
	uint32_t length;
	char bytes[];
};
struct text_slot {
	struct text *text; /* NULL: free */
	uint32_t hash;
};

struct stint_model {
	uint64_t seed;
	struct text_slot *slots; /* open addressing, linear probing, a power of two */
	size_t slots_count, texts, text_bytes;
	struct stint_pod_spec **specs; /* the same for specs */
	size_t specs_count, specs_used;
	size_t objects, object_bytes;
	struct stint_buf scratch; /* unescaped text of the moment */
	struct stint_pair *pairs; /* pairs of the moment */
	size_t pairs_capacity;
};

static inline const struct text *text_of(const char *bytes)
{
	return (const struct text *)(const void *)(bytes - offsetof(struct text, bytes));
}
uint32_t text_mix(uint64_t seed, const char *data, size_t length);
/* One more holder of a text that the model has already. */
const char *text_again(const char *text);

/* Which annotations of pods, nodes and pod templates are kept. */
bool annotation_is_kept(struct stint_slice key);

/* A decoder at work. */
struct decoder {
	struct stint_model *model;
	struct stint_cursor *c;
};

#define KEY_IS(key, literal) ((key).length == sizeof(literal) - 1 && !memcmp((key).data, literal, sizeof(literal) - 1))

bool enter_object(struct decoder *d); /* false for null too: look at error */
bool enter_array(struct decoder *d);
bool read_text(struct decoder *d, const char **out); /* "" is kept as "" */
bool read_name(struct decoder *d, const char **out); /* "" becomes NULL */
bool read_value(struct decoder *d, struct stint_slice *text); /* unescaped, valid until the next read */
bool read_time(struct decoder *d, int64_t *ms);
bool read_bool(struct decoder *d, bool *out);
bool read_truth(struct decoder *d, enum stint_truth *out); /* a JSON boolean */
bool read_status(struct decoder *d, enum stint_truth *out); /* "True", "False", anything else */
bool read_int32(struct decoder *d, int32_t *out); /* saturated */
bool read_int64(struct decoder *d, int64_t *out);
bool read_double(struct decoder *d, double *out);
bool read_duration(struct decoder *d, int64_t *ms); /* "30s"; what is no duration stays absent */
bool read_raw(struct decoder *d, const char **out); /* any value as its JSON text */
bool read_names(struct decoder *d, const char *const **out, uint32_t *count); /* an array of texts, in order */
enum pairs_wanted { PAIRS_ALL, PAIRS_SHORT, PAIRS_KEPT };
bool read_pairs(struct decoder *d, enum pairs_wanted wanted, struct stint_pairs *out);
bool decode_fail(struct decoder *d, const char *literal); /* sets cursor->error unless it is set */

void pairs_drop(struct stint_model *model, struct stint_pairs *pairs);
void names_drop(struct stint_model *model, const char *const *names, uint32_t count);
void names_sort(const char **names, uint32_t count);
void pairs_sort(struct stint_pair *items, size_t count);

/* Requirements ({key, operator, values}) as node affinity and label selectors write them. */
bool read_requirements(struct decoder *d, struct stint_requirements *out);
void requirements_drop(struct stint_model *model, struct stint_requirements *requirements);
/* An array of node selector terms (matchExpressions, matchFields); replaces what is there. */
bool read_node_terms(struct decoder *d, const struct stint_node_term **out, uint32_t *count);
/* The same of a StorageClass's allowedTopologies (matchLabelExpressions, without operators). */
bool read_topology_terms(struct decoder *d, const struct stint_node_term **out, uint32_t *count);
/* And of preferred terms, with their weights. */
bool read_preferred_terms(struct decoder *d, const struct stint_node_term **out, uint32_t *count);
void node_terms_drop(struct stint_model *model, const struct stint_node_term *terms, uint32_t count);
bool node_terms_equal(
	const struct stint_node_term *a, uint32_t a_count, const struct stint_node_term *b, uint32_t b_count); /* of one model */
/* A metav1.LabelSelector, as the selectors of stint/model.h are; NULL: cursor->error. An empty one matches all. */
struct stint_label_selector *selector_decode(struct stint_cursor *cursor);
bool read_tolerations(struct decoder *d, const struct stint_toleration **out, uint32_t *count);
void tolerations_drop(struct stint_model *model, const struct stint_toleration *items, uint32_t count);
bool read_taints(struct decoder *d, const struct stint_taint **out, uint32_t *count);
void taints_drop(struct stint_model *model, const struct stint_taint *items, uint32_t count);

/* Amounts while they are summed: like struct stint_resources, but growing. Zero-initialise it. */
struct amounts {
	int64_t cpu_milli, memory_bytes, gpu_milli, pods;
	bool has_cpu, has_memory, has_gpu; /* named, be it with 0 */
	struct stint_extended *extended; /* names counted once for each entry */
	size_t extended_count, extended_capacity;
};
bool read_quantity(struct decoder *d, enum stint_unit unit, int64_t *out);
bool read_amounts(struct decoder *d, struct amounts *out); /* a ResourceList; adds to out */
void amounts_add(struct amounts *sum, const struct amounts *more);
void amounts_max(struct amounts *peak, const struct amounts *other);
void amounts_default(struct amounts *requests, const struct amounts *limits); /* limits where no request */
void amounts_reset(struct stint_model *model, struct amounts *amounts);
/* Hands the sum over to a vector, sorted; amounts is empty afterwards. */
void amounts_finish(struct stint_model *model, struct amounts *amounts, struct stint_resources *out);
void resources_raise(struct stint_model *model, struct stint_resources *resources, const char *name, int64_t amount); /* adds to a vector */
void resources_drop(struct stint_model *model, struct stint_resources *resources);

/* Claims of a pod, from its spec and from its status. */
bool read_pod_claims(struct decoder *d, struct stint_pod *pod, bool status);
void pod_claims_drop(struct stint_model *model, struct stint_pod *pod);

/* spec_volumes.c: what of a PodSpec has to exist beside it. */
bool read_spec_volumes(struct decoder *d, struct stint_pod_spec *spec);
bool read_config_map_reference(struct decoder *d, struct stint_pod_spec *spec); /* {name, optional} */
bool read_env_from(struct decoder *d, struct stint_pod_spec *spec);
void spec_volumes_drop(struct stint_model *model, struct stint_pod_spec *spec);

bool read_metadata(struct decoder *d, struct stint_object *object, enum pairs_wanted annotations);
bool read_template_metadata(struct decoder *d, struct stint_owner *owner);

/* roles.c: the members of a spec that tell of roles, of which read_roles takes one. */
bool is_of_roles(struct stint_slice key);
bool read_roles(struct decoder *d, struct stint_owner *owner, struct stint_slice key);

/* Specs: read fills a zeroed one (gpu.kind not yet); share gives the one that everybody has and frees or keeps the given one. */
struct stint_pod_spec *spec_new(void);
/* Fields of a PodSpec that belong to the pod, not to the shared spec; pointers may be NULL. */
struct spec_extras {
	const char **node;
	const char *const **gates;
	uint32_t *gates_count;
	struct stint_pod *pod; /* whose claims these are */
};
bool read_pod_spec(struct decoder *d, struct stint_pod_spec *spec, const struct spec_extras *extras);
void spec_set_gpu(struct stint_model *model, struct stint_pod_spec *spec, const struct stint_pairs *annotations);
struct stint_pod_spec *spec_share(struct stint_model *model, struct stint_pod_spec *spec);
void spec_unref(struct stint_model *model, struct stint_pod_spec *spec);
void spec_free(struct stint_model *model, struct stint_pod_spec *spec);
size_t spec_bytes(const struct stint_pod_spec *spec);

/* Per kind: what stands beside metadata. `read_member` is called for every other key of the object. */
struct kind_decoder {
	const char *name; /* for messages */
	size_t size;
	enum pairs_wanted annotations;
	void (*init)(struct stint_object *object);
	bool (*read_member)(struct decoder *d, struct stint_object *object, struct stint_slice key);
	bool (*finish)(struct decoder *d, struct stint_object *object); /* may be NULL */
	void (*drop)(struct stint_object *object); /* frees what the kind added */
	size_t (*bytes)(const struct stint_object *object); /* heap beside the struct; may be NULL */
};
/* What an owner is when the object does not say it itself. */
void owner_set_type(struct stint_object *object, const char *api_version, const char *kind_name);
extern const struct kind_decoder decode_pod_kind, decode_node_kind, decode_queue_kind, decode_pod_group_kind, decode_topology_kind,
	decode_priority_class_kind, decode_space_kind, decode_event_kind, decode_owner_kind, decode_resource_claim_kind,
	decode_resource_slice_kind, decode_device_class_kind, decode_volume_claim_kind, decode_volume_kind, decode_storage_class_kind,
	decode_config_map_kind, decode_node_zones_kind;

/* Absent is a text of its own. */
static inline bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

#endif
