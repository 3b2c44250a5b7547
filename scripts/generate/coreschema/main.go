// Command coreschema writes what is a fact about the types of core Kubernetes kinds (names, types, patch keys, protobuf
// numbers, list types, enum values, declared defaults) into one JSON file a group and version.
//
//	go run . ../../../cpp/api/schema
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	events "k8s.io/api/events/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The kinds we want; everything they refer to follows.
var roots = []any{
	core.Pod{}, core.PodTemplate{}, core.PersistentVolumeClaim{}, core.PersistentVolume{}, core.Node{}, core.Namespace{}, core.ConfigMap{},
	core.Secret{}, core.Event{}, core.Service{}, core.ServiceAccount{}, core.Binding{}, core.Endpoints{}, core.ReplicationController{},
	core.ResourceQuota{}, core.LimitRange{}, networking.Ingress{}, networking.NetworkPolicy{},
	rbac.Role{}, rbac.RoleBinding{}, rbac.ClusterRole{}, rbac.ClusterRoleBinding{},
	apps.ControllerRevision{}, apps.Deployment{}, apps.ReplicaSet{}, apps.StatefulSet{}, apps.DaemonSet{},
	batch.Job{}, batch.CronJob{}, coordination.Lease{}, events.Event{}, policy.Eviction{}, policy.PodDisruptionBudget{},
	authorization.SelfSubjectAccessReview{}, authorization.SelfSubjectRulesReview{}, authorization.SubjectAccessReview{},
	authentication.SelfSubjectReview{}, authentication.TokenRequest{}, authentication.TokenReview{},
	autoscalingv1.Scale{}, autoscaling.HorizontalPodAutoscaler{}, scheduling.PriorityClass{}, storage.StorageClass{},
	meta.Status{}, meta.DeleteOptions{}, meta.CreateOptions{}, meta.PatchOptions{}, meta.UpdateOptions{}, meta.PartialObjectMetadata{},
	meta.ListMeta{}, meta.Condition{},
}

// Parts of which there is no field to tell that they are a type of their own.
var leaves = map[reflect.Type]string{
	reflect.TypeOf(resource.Quantity{}):    "quantity",
	reflect.TypeOf(intstr.IntOrString{}):   "int-or-string",
	reflect.TypeOf(meta.Time{}):            "time",
	reflect.TypeOf(meta.MicroTime{}):       "micro-time",
	reflect.TypeOf(meta.Duration{}):        "string",
	reflect.TypeOf(runtime.RawExtension{}): "any",
	reflect.TypeOf(meta.FieldsV1{}):        "any",
	reflect.TypeOf([]byte{}):               "bytes",
}

type field struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Pointer  bool            `json:"pointer,omitempty"`
	Omit     bool            `json:"omitempty,omitempty"`
	Required bool            `json:"required,omitempty"`
	Patch    string          `json:"patch,omitempty"`
	MergeKey string          `json:"mergeKey,omitempty"`
	List     string          `json:"list,omitempty"`
	Keys     []string        `json:"keys,omitempty"`
	Map      string          `json:"map,omitempty"`
	Struct   string          `json:"struct,omitempty"`
	Enum     []string        `json:"enum,omitempty"`
	Default  json.RawMessage `json:"default,omitempty"`
	Proto    int             `json:"proto,omitempty"`
	Outer    int             `json:"protoOuter,omitempty"` // number of the inlined message that holds the field
}

type file struct {
	group, version string
	kinds          []string
	types          map[string][]field
}

type writer struct {
	files  map[string]*file
	source *source
}

// stem of the file that holds the types of a Go package: "apps_v1" of k8s.io/api/apps/v1.
func stem(pkg string) string {
	parts := strings.Split(pkg, "/")
	return parts[len(parts)-2] + "_" + parts[len(parts)-1]
}

// groups whose API name is not the folder of their package.
var groupNames = map[string]string{
	"core": "", "meta": "meta.k8s.io", "authentication": "authentication.k8s.io", "authorization": "authorization.k8s.io",
	"coordination": "coordination.k8s.io", "events": "events.k8s.io", "networking": "networking.k8s.io",
	"rbac": "rbac.authorization.k8s.io", "scheduling": "scheduling.k8s.io", "storage": "storage.k8s.io",
}

func (w *writer) file(pkg string) *file {
	name := stem(pkg)
	if f, ok := w.files[name]; ok {
		return f
	}
	folder, version, _ := strings.Cut(name, "_")
	group, ok := groupNames[folder]
	if !ok {
		group = folder
	}
	f := &file{group: group, version: version, types: map[string][]field{}}
	w.files[name] = f
	return f
}

// expression writes a type as the schema files do, and visits what it names.
func (w *writer) expression(t reflect.Type, from string) string {
	if leaf, ok := leaves[t]; ok {
		return leaf
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.expression(t.Elem(), from)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + w.expression(t.Elem(), from)
	case reflect.Map:
		return "map:" + w.expression(t.Elem(), from)
	case reflect.Struct:
		w.visit(t)
		if here := stem(t.PkgPath()); here != from {
			return here + "." + t.Name()
		}
		return t.Name()
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Int64:
		return t.Kind().String()
	case reflect.Float64:
		return "float"
	case reflect.Uint16, reflect.Uint32, reflect.Int:
		return "int32"
	}
	log.Fatalf("no schema for Go type %v", t)
	return ""
}

func (w *writer) visit(t reflect.Type) {
	f := w.file(t.PkgPath())
	if _, done := f.types[t.Name()]; done {
		return
	}
	f.types[t.Name()] = nil
	f.types[t.Name()] = w.fields(t, stem(t.PkgPath()), 0)
}

func protoNumber(tag string) int {
	parts := strings.Split(tag, ",")
	if len(parts) < 2 {
		return 0
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		log.Fatalf("protobuf tag %q: %v", tag, err)
	}
	return n
}

func (w *writer) fields(t reflect.Type, from string, outer int) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			number := protoNumber(f.Tag.Get("protobuf"))
			if number != 0 && outer != 0 {
				log.Fatalf("%v: inlined twice", t)
			}
			for _, inner := range w.fields(f.Type, from, number) {
				if number == 0 { // apiVersion and kind travel in the envelope
					inner.Proto = 0
				}
				all = append(all, inner)
			}
			continue
		}
		omit := strings.Contains(options, "omitempty")
		notes := w.source.notes(t, f.Name)
		item := field{
			Name: name, Type: w.expression(f.Type, from), Pointer: f.Type.Kind() == reflect.Pointer, Omit: omit,
			Patch: f.Tag.Get("patchStrategy"), MergeKey: f.Tag.Get("patchMergeKey"),
			List: notes.one("listType"), Keys: notes["listMapKey"], Map: notes.one("mapType"), Struct: notes.one("structType"),
			Proto: protoNumber(f.Tag.Get("protobuf")), Outer: outer,
		}
		_, optional := notes["optional"]
		_, required := notes["required"]
		item.Required = required || (!optional && !omit)
		base := f.Type
		if base.Kind() == reflect.Pointer {
			base = base.Elem()
		}
		if base.Kind() == reflect.Struct && leaves[base] == "" && item.Struct == "" {
			item.Struct = w.source.typeNotes(base).one("structType")
		}
		if base.Kind() == reflect.String && base.PkgPath() != "" {
			if _, ok := w.source.typeNotes(base)["enum"]; ok {
				item.Enum = w.source.constants(base)
			}
		}
		if text := notes.one("default"); text != "" {
			item.Default = w.source.value(text, t.PkgPath())
		}
		all = append(all, item)
	}
	return all
}

func isKind(t reflect.Type) bool {
	f, ok := t.FieldByName("TypeMeta")
	return ok && f.Anonymous
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: coreschema OUTPUT_FOLDER")
	}
	w := &writer{files: map[string]*file{}, source: newSource()}
	for _, root := range roots {
		t := reflect.TypeOf(root)
		w.visit(t)
		if isKind(t) {
			f := w.file(t.PkgPath())
			f.kinds = append(f.kinds, t.Name())
		}
	}
	for name, f := range w.files {
		if err := os.WriteFile(filepath.Join(os.Args[1], name+".json"), f.text(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// text is JSON with one field a line, so that a change of version reads well as a diff.
func (f *file) text() []byte {
	var out strings.Builder
	sort.Strings(f.kinds)
	fmt.Fprintf(&out, "{\n\"generated\": \"by scripts/generate/coreschema (go run . ../../../cpp/api/schema); do not edit\",\n")
	fmt.Fprintf(&out, "\"group\": %s, \"version\": %s,\n\"kinds\": %s,\n\"types\": {", compact(f.group), compact(f.version), compact(f.kinds))
	names := make([]string, 0, len(f.types))
	for name := range f.types {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "\n%s: [", compact(name))
		for j, item := range f.types[name] {
			if j > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, "\n %s", compact(item))
		}
		out.WriteString("]")
	}
	out.WriteString("\n}}\n")
	return []byte(out.String())
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}
