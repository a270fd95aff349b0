/* What a submission becomes, and what is said about one that makes no sense. */
#include "tests/unit/test.h"

#include <stint/workload.h>

#define LIST(...)                 \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static struct stint_json *yaml(const char *text)
{
	struct stint_error *err = NULL;
	struct stint_json *documents = stint_yaml_parse("expected", text, strlen(text), &err);
	if (!documents)
		fail_msg("%s", err->message);
	return documents;
}

static void assert_objects(const struct stint_submission *submission, const char *expected_text)
{
	struct stint_error *err = NULL;
	stint_auto_json *objects = stint_submission_build(submission, &err);
	if (!objects)
		fail_msg("%s", err->message);
	stint_auto_json *expected = yaml(expected_text);
	assert_int_equal(stint_json_count(objects), stint_json_count(expected));
	struct stint_json *wanted = stint_json_first(expected);
	stint_json_each(object, objects) {
		if (!stint_json_equal(object, wanted)) {
			stint_autofree char *got = stint_yaml_print(object);
			fail_msg("made was\n%s", got);
		}
		wanted = stint_json_next(wanted);
	}
}

static void a_training_of_half_a_gpu_is_a_job_wired_to_its_device(void **state)
{
	(void)state;
	const struct stint_submission submission = {
		.name = "hello", .project = "vision", .image = "python:3.12", .gpus = "0.50", .command = LIST("python", "-c", "print(1)")};
	assert_objects(&submission,
		"apiVersion: batch/v1\n"
		"kind: Job\n"
		"metadata:\n"
		"  name: hello\n"
		"  namespace: vision\n"
		"  labels: {kai.scheduler/queue: vision, stint.dev/type: training, stint.dev/workload: hello}\n"
		"spec:\n"
		"  backoffLimit: 0\n"
		"  podFailurePolicy:\n"
		"    rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}]\n"
		"  template:\n"
		"    metadata:\n"
		"      labels: {kai.scheduler/queue: vision, stint.dev/type: training, stint.dev/workload: hello}\n"
		"      annotations: {gpu-fraction: '0.5'}\n"
		"    spec:\n"
		"      schedulerName: stint-scheduler\n"
		"      restartPolicy: Never\n"
		"      priorityClassName: train\n"
		"      containers:\n"
		"      - name: hello\n"
		"        image: python:3.12\n"
		"        command: [python, -c, print(1)]\n"
		"        env: [{name: NVIDIA_VISIBLE_DEVICES, valueFrom: {fieldRef: {fieldPath: "
		"\"metadata.annotations['stint.dev/gpu-uuids']\"}}}]\n"
		"        volumeMounts: [{name: shm, mountPath: /dev/shm}]\n"
		"      volumes: [{name: shm, emptyDir: {medium: Memory}}]\n");
}

static void workers_are_an_indexed_gang_that_finds_itself(void **state)
{
	(void)state;
	const struct stint_submission submission = {.name = "gang",
		.project = "vision",
		.image = "img:1",
		.gpus = "8",
		.workers = "4",
		.time = "4h",
		.ttl = "1h",
		.retries = "2",
		.preemptible = STINT_FALSE,
		.env = LIST("MASTER_PORT=1234", "A=b=c"),
		.scheduler_name = "kai-scheduler"};
	assert_objects(&submission,
		"apiVersion: batch/v1\n"
		"kind: Job\n"
		"metadata:\n"
		"  name: gang\n"
		"  namespace: vision\n"
		"  labels: &labels {kai.scheduler/queue: vision, stint.dev/type: training, stint.dev/workload: gang, "
		"kai.scheduler/preemptibility: "
		"non-preemptible}\n"
		"  annotations: {stint.dev/time-seconds: '14400', kai.scheduler/batch-min-member: '4'}\n"
		"spec:\n"
		"  backoffLimit: 2\n"
		"  ttlSecondsAfterFinished: 3600\n"
		"  completionMode: Indexed\n"
		"  completions: 4\n"
		"  parallelism: 4\n"
		"  backoffLimitPerIndex: 2\n"
		"  maxFailedIndexes: 0\n"
		"  podFailurePolicy:\n"
		"    rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}]\n"
		"  template:\n"
		"    metadata:\n"
		"      labels: *labels\n"
		"      annotations: {stint.dev/time-seconds: '14400'}\n"
		"    spec:\n"
		"      schedulerName: kai-scheduler\n"
		"      restartPolicy: Never\n"
		"      priorityClassName: train\n"
		"      activeDeadlineSeconds: 14400\n"
		"      subdomain: gang\n"
		"      containers:\n"
		"      - name: gang\n"
		"        image: img:1\n"
		"        env:\n"
		"        - {name: MASTER_PORT, value: '1234'}\n"
		"        - {name: A, value: b=c}\n"
		"        - {name: MASTER_ADDR, value: gang-0.gang}\n"
		"        - {name: WORLD_SIZE, value: '4'}\n"
		"        - {name: RANK, valueFrom: {fieldRef: {fieldPath: "
		"\"metadata.annotations['batch.kubernetes.io/job-completion-index']\"}}}\n"
		"        resources: {limits: {nvidia.com/gpu: '8'}}\n"
		"        volumeMounts: [{name: shm, mountPath: /dev/shm}]\n"
		"      volumes: [{name: shm, emptyDir: {medium: Memory}}]\n"
		"---\n"
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata:\n"
		"  name: gang\n"
		"  namespace: vision\n"
		"  labels: {kai.scheduler/queue: vision, stint.dev/type: training, stint.dev/workload: gang, kai.scheduler/preemptibility: "
		"non-preemptible}\n"
		"spec:\n"
		"  clusterIP: None\n"
		"  publishNotReadyAddresses: true\n"
		"  ports: [{name: rendezvous, port: 29500, targetPort: 29500}]\n"
		"  selector: {stint.dev/workload: gang}\n");
}

/* One pool is a label that KAI knows, several are a list; the Service has no use for it. */
static void node_pools_are_a_label_or_a_list(void **state)
{
	(void)state;
	static const struct {
		const char *pools, *label, *list;
	} rows[] = {{NULL, NULL, NULL}, {"h100", "h100", NULL}, {" h100 ", "h100", NULL}, {"h100, a100", NULL, "h100,a100"}};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		const struct stint_submission submission = {
			.name = "gang", .project = "vision", .image = "img:1", .workers = "2", .node_pools = rows[i].pools};
		stint_auto_error *err = NULL;
		stint_auto_json *objects = stint_submission_build(&submission, &err);
		assert_non_null(objects);
		const struct stint_json *job = stint_json_first(objects), *service = stint_json_next(job);
		const struct stint_json *template = stint_json_at(job, "spec", "template");
		const struct stint_json *const both[] = {job, template};
		for (size_t at = 0; at < STINT_COUNT(both); at++) {
			const char *label = stint_json_string_at(both[at], "metadata", "labels", STINT_LABEL_NODE_POOL);
			const char *list = stint_json_string_at(both[at], "metadata", "annotations", STINT_ANNOTATION_NODE_POOLS);
			assert_string_equal(label ? label : "", rows[i].label ? rows[i].label : "");
			assert_string_equal(list ? list : "", rows[i].list ? rows[i].list : "");
		}
		assert_null(stint_json_at(service, "metadata", "annotations", STINT_ANNOTATION_NODE_POOLS));
	}
}

/* As KAI reads them: size, topology and level on the pods; the Service knows nothing of it. */
static void segments_are_annotations_of_the_job_and_its_pods(void **state)
{
	(void)state;
	static const char *const own[] = {"kai.scheduler/topology=fabric", "kai.scheduler/topology-preferred-placement=zone", NULL};
	const struct stint_submission submission = {.name = "gang",
		.project = "vision",
		.image = "img:1",
		.workers = "8",
		.segment_size = "4",
		.segment_topology = "fabric:example.com/rack",
		.annotations = own};
	stint_auto_error *err = NULL;
	stint_auto_json *objects = stint_submission_build(&submission, &err);
	assert_non_null(objects);
	const struct stint_json *job = stint_json_first(objects), *service = stint_json_next(job);
	const struct stint_json *const both[] = {job, stint_json_at(job, "spec", "template")};
	for (size_t at = 0; at < STINT_COUNT(both); at++) {
		const struct stint_json *annotations = stint_json_at(both[at], "metadata", "annotations");
		assert_string_equal(stint_json_string(stint_json_get(annotations, "kai.scheduler/segment-size")), "4");
		assert_string_equal(stint_json_string(stint_json_get(annotations, "kai.scheduler/topology")), "fabric");
		assert_string_equal(stint_json_string(stint_json_get(annotations, "kai.scheduler/segment-topology-required-placement")),
			"example.com/rack");
	}
	assert_null(stint_json_at(service, "metadata", "annotations", "kai.scheduler/segment-size"));
}

static void a_workspace_is_a_stateful_set_of_one_with_a_service(void **state)
{
	(void)state;
	const struct stint_submission submission = {.type = STINT_WORKSPACE,
		.name = "lab",
		.project = "vision",
		.image = "jupyter:1",
		.gpu_memory = "10Gi",
		.devices = "2",
		.cpu = "4",
		.memory = "32Gi",
		.shm_size = "8Gi",
		.workdir = "/home",
		.claims = LIST("data:/data", "models:/models:ro"),
		.labels = LIST("team=nlp"),
		.annotations = LIST("sim/run-seconds=5"),
		.node_selectors = LIST("nvidia.com/gpu.product=H100"),
		.tolerations = LIST("nvidia.com/gpu:NoSchedule", "team=nlp", "any=x:NoExecute"),
		.runtime_class = "nvidia",
		.priority = "build-preemptible",
		.image_pull_policy = "Always",
		.ports = LIST("80:8888", "6006")};
	assert_objects(&submission,
		"apiVersion: apps/v1\n"
		"kind: StatefulSet\n"
		"metadata:\n"
		"  name: lab\n"
		"  namespace: vision\n"
		"  labels: {kai.scheduler/queue: vision, stint.dev/type: workspace, stint.dev/workload: lab, team: nlp}\n"
		"  annotations: {sim/run-seconds: '5'}\n"
		"spec:\n"
		"  replicas: 1\n"
		"  serviceName: lab\n"
		"  selector: {matchLabels: {stint.dev/workload: lab}}\n"
		"  template:\n"
		"    metadata:\n"
		"      labels: {kai.scheduler/queue: vision, stint.dev/type: workspace, stint.dev/workload: lab, team: nlp}\n"
		"      annotations: {sim/run-seconds: '5', gpu-memory: '10240', gpu-fraction-num-devices: '2'}\n"
		"    spec:\n"
		"      schedulerName: stint-scheduler\n"
		"      restartPolicy: Always\n"
		"      priorityClassName: build-preemptible\n"
		"      runtimeClassName: nvidia\n"
		"      nodeSelector: {nvidia.com/gpu.product: H100}\n"
		"      tolerations:\n"
		"      - {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}\n"
		"      - {key: team, operator: Equal, value: nlp}\n"
		"      - {key: any, operator: Equal, value: x, effect: NoExecute}\n"
		"      containers:\n"
		"      - name: lab\n"
		"        image: jupyter:1\n"
		"        imagePullPolicy: Always\n"
		"        workingDir: /home\n"
		"        env: [{name: NVIDIA_VISIBLE_DEVICES, valueFrom: {fieldRef: {fieldPath: "
		"\"metadata.annotations['stint.dev/gpu-uuids']\"}}}]\n"
		"        resources: {requests: {cpu: '4', memory: 32Gi}}\n"
		"        ports: [{containerPort: 8888}, {containerPort: 6006}]\n"
		"        volumeMounts:\n"
		"        - {name: shm, mountPath: /dev/shm}\n"
		"        - {name: claim-0, mountPath: /data}\n"
		"        - {name: claim-1, mountPath: /models, readOnly: true}\n"
		"      volumes:\n"
		"      - {name: shm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}\n"
		"      - {name: claim-0, persistentVolumeClaim: {claimName: data}}\n"
		"      - {name: claim-1, persistentVolumeClaim: {claimName: models}}\n"
		"---\n"
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata:\n"
		"  name: lab\n"
		"  namespace: vision\n"
		"  labels: {kai.scheduler/queue: vision, stint.dev/type: workspace, stint.dev/workload: lab, team: nlp}\n"
		"  annotations: {sim/run-seconds: '5'}\n"
		"spec:\n"
		"  selector: {stint.dev/workload: lab}\n"
		"  ports: [{name: port-80, port: 80, targetPort: 8888}, {name: port-6006, port: 6006, targetPort: 6006}]\n");
}

static void an_inference_service_without_gpus_asks_for_none(void **state)
{
	(void)state;
	const struct stint_submission submission = {
		.type = STINT_INFERENCE, .name = "web", .project = "p", .image = "i", .runtime_class = "nvidia", .priority = ""};
	struct stint_error *err = NULL;
	stint_auto_json *objects = stint_submission_build(&submission, &err);
	assert_non_null(objects);
	const struct stint_json *spec = stint_json_at(stint_json_first(objects), "spec", "template", "spec");
	assert_null(stint_json_get(spec, "runtimeClassName"));
	assert_null(stint_json_get(spec, "priorityClassName"));
	assert_null(stint_json_get(stint_json_first(stint_json_get(spec, "containers")), "resources"));
	assert_string_equal(stint_json_string(stint_json_get(stint_json_first(objects), "kind")), "Deployment");
	assert_int_equal(
		stint_json_int_or(stint_json_get(stint_json_first(stint_json_at(stint_json_item(objects, 1), "spec", "ports")), "port"), 0),
		8080);
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------------------------- */

#define SIXTY_FOUR "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define GOOD .name = "good", .project = "p", .image = "i"

static const struct mistake {
	struct stint_submission submission;
	const char *says;
} mistakes[] = {
	{{.project = "p", .image = "i"}, "no name"},
	{{.name = "Upper", .project = "p", .image = "i"}, "\"Upper\" cannot name a workload"},
	{{.name = "-x", .project = "p", .image = "i"}, "begin and end"},
	{{.name = "a.b", .project = "p", .image = "i"}, "lower-case letters"},
	{{.name = SIXTY_FOUR, .project = "p", .image = "i"}, "63 is the most"},
	{{.name = "a\033[2Jb", .project = "p", .image = "i"}, "a?[2Jb"},
	{{.type = STINT_WORKSPACE, .name = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefff", .project = "p", .image = "i"},
		"52 is the most"},
	{{.type = STINT_WORKSPACE, .name = "1lab", .project = "p", .image = "i"}, "begin with a letter"},
	{{.name = "1gang", .project = "p", .image = "i", .workers = "2"}, "begin with a letter"},
	{{.name = "good", .project = "P", .image = "i"}, "cannot name a project"},
	{{.name = "good", .project = "p"}, "no image"},
	{{.name = "good", .project = "p", .image = "a b"}, "is no image"},
	{{GOOD, .gpus = "0"}, "-g must be more than 0"},
	{{GOOD, .gpus = "-1"}, "-g must be more than 0"},
	{{GOOD, .gpus = "1.5"}, "--devices 2"},
	{{GOOD, .gpus = "NaN"}, "-g must be a number"},
	{{GOOD, .gpus = "inf"}, "-g must be a number"},
	{{GOOD, .gpus = "0x1"}, "-g must be a number"},
	{{GOOD, .gpus = "half"}, "half"},
	{{GOOD, .gpus = "0.0001"}, "at least 0.001"},
	{{GOOD, .gpus = "0.9999999"}, "at most 0.999999"},
	{{GOOD, .gpus = "5000"}, "at most 1024"},
	{{GOOD, .gpus = "1e99"}, "1e99"},
	{{GOOD, .gpus = "0.5", .gpu_memory = "1Gi"}, "give one of them"},
	{{GOOD, .gpu_memory = "lots"}, "such as 10Gi"},
	{{GOOD, .gpu_memory = "0"}, "between 1Mi and 1Ti"},
	{{GOOD, .gpu_memory = "-1Gi"}, "between 1Mi and 1Ti"},
	{{GOOD, .devices = "2"}, "--devices tells"},
	{{GOOD, .gpus = "2", .devices = "2"}, "--devices tells"},
	{{GOOD, .gpus = "0.5", .devices = "0"}, "from 1 to 1024"},
	{{GOOD, .gpus = "0.5", .devices = "x"}, "from 1 to 1024"},
	{{GOOD, .workers = "0"}, "--workers must be"},
	{{GOOD, .segment_size = "2"}, "--segment-size cuts the workers of a gang: say --workers"},
	{{GOOD, .workers = "4", .segment_topology = "fabric:rack"}, "say --segment-size"},
	{{GOOD, .workers = "4", .segment_size = "0"}, "--segment-size must be a whole number from 1 to 4"},
	{{GOOD, .workers = "4", .segment_size = "5"}, "--segment-size must be a whole number from 1 to 4"},
	{{GOOD, .workers = "4", .segment_size = "2", .segment_topology = "rack"}, "must be TOPOLOGY:LEVEL"},
	{{GOOD, .workers = "4", .segment_size = "2", .segment_topology = ":rack"}, "must be TOPOLOGY:LEVEL"},
	{{GOOD, .workers = "4", .segment_size = "2", .segment_topology = "a:b c"}, "must be TOPOLOGY:LEVEL"},
	{{GOOD, .workers = "4", .segment_size = "2", .segment_topology = "a:b", .annotations = LIST("kai.scheduler/topology=c")},
		"a workload has one"},
	{{GOOD, .annotations = LIST("kai.scheduler/segment-size=2")}, "say it with --segment-size"},
	{{.type = STINT_WORKSPACE, GOOD, .segment_size = "2"}, "--segment-size is for trainings"},
	{{GOOD, .workers = "1.5"}, "--workers must be"},
	{{.type = STINT_WORKSPACE, GOOD, .workers = "2"}, "--workers is for trainings: a workspace"},
	{{.type = STINT_INFERENCE, GOOD, .workers = "2"}, "--replicas 2"},
	{{.type = STINT_INFERENCE, GOOD, .time = "4h"}, "--time is for trainings: an inference"},
	{{.type = STINT_INFERENCE, GOOD, .ttl = "4h"}, "--ttl is for trainings"},
	{{.type = STINT_INFERENCE, GOOD, .retries = "1"}, "--retries is for trainings"},
	{{GOOD, .cpu = "fast"}, "--cpu must be a quantity"},
	{{GOOD, .cpu = "-1"}, "--cpu must be more than nothing"},
	{{GOOD, .memory = "5GB"}, "--memory must be a quantity"},
	{{GOOD, .shm_size = "big"}, "--shm-size must be a quantity"},
	{{GOOD, .time = "soon"}, "--time must be a duration"},
	{{GOOD, .time = "0s"}, "--time must be between"},
	{{GOOD, .time = "4"}, "--time needs a unit: say --time 4h"},
	{{GOOD, .ttl = "30"}, "--ttl needs a unit"},
	{{GOOD, .ttl = "-1"}, "--ttl must be a duration"},
	{{GOOD, .retries = "-1"}, "--retries must be"},
	{{GOOD, .env = LIST("NOEQUALS")}, "--env must be KEY=VALUE"},
	{{GOOD, .env = LIST("=x")}, "--env must be KEY=VALUE"},
	{{GOOD, .env = LIST("A B=x")}, "no name for a variable"},
	{{GOOD, .env = LIST("1A=x")}, "begins with a digit"},
	{{GOOD, .gpus = "0.5", .env = LIST("NVIDIA_VISIBLE_DEVICES=all")}, "cannot be set"},
	{{GOOD, .labels = LIST("novalue")}, "--label must be KEY=VALUE"},
	{{GOOD, .labels = LIST("bad key=x")}, "no valid key"},
	{{GOOD, .labels = LIST("k=a b")}, "no valid value"},
	{{GOOD, .labels = LIST("k=" SIXTY_FOUR)}, "no valid value"},
	{{GOOD, .labels = LIST("kai.scheduler/queue=other")}, "say it with -p"},
	{{GOOD, .annotations = LIST("gpu-fraction=0.5")}, "say it with -g"},
	{{GOOD, .annotations = LIST("/=x")}, "no valid key"},
	{{GOOD, .node_selectors = LIST("a b=c")}, "no valid key"},
	{{GOOD, .node_pools = ""}, "--node-pools must be"},
	{{GOOD, .node_pools = "a,b c,-d"}, "--node-pools must be"},
	{{GOOD, .annotations = LIST("kai.scheduler/node-pools=a")}, "say it with --node-pools"},
	{{GOOD, .tolerations = LIST("x=y:Sometimes")}, "no effect \"Sometimes\""},
	{{GOOD, .tolerations = LIST(":NoSchedule")}, "--toleration must be"},
	{{GOOD, .claims = LIST("data")}, "--pvc must be"},
	{{GOOD, .claims = LIST("data:relative")}, "--pvc must be"},
	{{GOOD, .claims = LIST("a:/d", "b:/d")}, "two volumes"},
	{{GOOD, .claims = LIST("a:/dev/shm")}, "two volumes"},
	{{GOOD, .workdir = "relative"}, "--workdir must be an absolute path"},
	{{GOOD, .priority = "no such class"}, "--priority must be"},
	{{GOOD, .runtime_class = "UPPER"}, "--runtime-class must be"},
	{{GOOD, .image_pull_policy = "Sometimes"}, "--image-pull-policy must be"},
	{{GOOD, .ports = LIST("80")}, "--port is for workspaces"},
	{{.type = STINT_WORKSPACE, GOOD, .ports = LIST("0")}, "--port must be"},
	{{.type = STINT_WORKSPACE, GOOD, .ports = LIST("80:x")}, "--port must be"},
	{{.type = STINT_WORKSPACE, GOOD, .ports = LIST("80", "80:81")}, "given twice"},
};

static void every_mistake_is_one_sentence_and_nothing_is_made(void **state)
{
	(void)state;
	for (size_t at = 0; at < STINT_COUNT(mistakes); at++) {
		stint_auto_error *err = NULL;
		struct stint_json *objects = stint_submission_build(&mistakes[at].submission, &err);
		if (objects || !err || err->code != STINT_USAGE || !strstr(err->message, mistakes[at].says) || strchr(err->message, '\n'))
			fail_msg("\"%s\" was wanted, got %s", mistakes[at].says, objects ? "objects" : err->message);
	}
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------- */

static void a_file_is_filled_in_where_it_says_nothing(void **state)
{
	(void)state;
	stint_auto_json *objects =
		yaml("{kind: List, apiVersion: v1, items: [\n"
		     "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {containers: []}}}},\n"
		     "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}]}\n"
		     "---\n"
		     "{apiVersion: kubeflow.org/v1, kind: PyTorchJob, metadata: {name: c, labels: {kai.scheduler/queue: own}},\n"
		     " spec: {pytorchReplicaSpecs: {Master: {template: {spec: {schedulerName: other, containers: []}}}}}}\n");
	struct stint_adoption adoption = {.project = "vision", .scheduler_name = "stint-scheduler"};
	assert_works(stint_objects_adopt(objects, &adoption, &err));
	assert_string_equal(adoption.foreign, "other");
	assert_false(adoption.renamed);
	assert_int_equal(stint_json_count(objects), 3);
	const struct stint_json *job = stint_json_item(objects, 0), *map = stint_json_item(objects, 1),
				*custom = stint_json_item(objects, 2);
	assert_string_equal(stint_json_string_at(job, "metadata", "namespace"), "vision");
	assert_string_equal(stint_json_string_at(job, "metadata", "labels", "kai.scheduler/queue"), "vision");
	assert_string_equal(stint_json_string_at(job, "spec", "template", "metadata", "labels", "kai.scheduler/queue"), "vision");
	assert_string_equal(stint_json_string_at(job, "spec", "template", "spec", "schedulerName"), "stint-scheduler");
	assert_null(stint_json_at(map, "metadata", "labels"));
	assert_string_equal(stint_json_string_at(custom, "metadata", "labels", "kai.scheduler/queue"), "own");
	assert_string_equal(
		stint_json_string_at(custom, "spec", "pytorchReplicaSpecs", "Master", "template", "spec", "schedulerName"), "other");
}

static void a_file_that_is_no_workload_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "no objects"},
		{"hello", "no Kubernetes object"},
		{"[1]", "no Kubernetes object"},
		{"{apiVersion: v1, metadata: {name: x}}", "no Kubernetes object"},
		{"{apiVersion: batch/v1, kind: Job, spec: {}}", "has no name"},
		{"{apiVersion: batch/v1, kind: Job, metadata: {name: x, namespace: other}}", "for namespace \"other\""},
		{"{apiVersion: v1, kind: List, items: []}", "no objects"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_auto_json *objects = yaml(cases[at].text);
		struct stint_adoption adoption = {.project = "vision", .scheduler_name = "s"};
		assert_fails(stint_objects_adopt(objects, &adoption, &err), STINT_USAGE, cases[at].says);
	}
}

static void a_file_for_kai_is_given_to_us_unless_somebody_serves_that_name(void **state)
{
	(void)state;
	static const char text[] = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {schedulerName: kai-scheduler, containers: []}}";
	static const char *const all[] = {"stint-scheduler", "kai-scheduler", NULL};
	for (int served = 0; served < 2; served++) {
		stint_auto_json *objects = yaml(text);
		struct stint_adoption adoption = {.project = "vision", .scheduler_name = "stint-scheduler", .served = served ? all : NULL};
		assert_works(stint_objects_adopt(objects, &adoption, &err));
		assert_string_equal(stint_json_string_at(stint_json_item(objects, 0), "spec", "schedulerName"),
			served ? "kai-scheduler" : "stint-scheduler");
		assert_int_equal(adoption.renamed, !served);
		assert_null(adoption.foreign);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_training_of_half_a_gpu_is_a_job_wired_to_its_device),
		cmocka_unit_test(workers_are_an_indexed_gang_that_finds_itself),
		cmocka_unit_test(node_pools_are_a_label_or_a_list),
		cmocka_unit_test(segments_are_annotations_of_the_job_and_its_pods),
		cmocka_unit_test(a_workspace_is_a_stateful_set_of_one_with_a_service),
		cmocka_unit_test(an_inference_service_without_gpus_asks_for_none),
		cmocka_unit_test(every_mistake_is_one_sentence_and_nothing_is_made),
		cmocka_unit_test(a_file_is_filled_in_where_it_says_nothing),
		cmocka_unit_test(a_file_that_is_no_workload_is_refused),
		cmocka_unit_test(a_file_for_kai_is_given_to_us_unless_somebody_serves_that_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
