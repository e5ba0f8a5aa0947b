// Command cel-go evaluates CEL expressions with cel-go, to be compared with ours.
//
// Without arguments it reads JSON lines {"expr", "input": {name: [type, value]}} and writes, line for line, the
// canonical text of the value, "error" or "refused". With "bench" it reads one line {"policies": [{"expr", "input"}],
// "types": {name: type}} and then, for each number that it reads, times that policy and writes nanoseconds for one
// evaluation.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		bench(in, out)
		return
	}
	env := environment(fuzzTypes)
	for in.Scan() {
		var test struct {
			Expr  string                     `json:"expr"`
			Input map[string]json.RawMessage `json:"input"`
		}
		if err := json.Unmarshal(in.Bytes(), &test); err != nil {
			panic(err)
		}
		fmt.Fprintln(out, evaluate(env, test.Expr, test.Input))
	}
}

var fuzzTypes = map[string]string{
	"i": "int", "j": "int", "u": "uint", "d": "double", "e": "double", "b": "bool", "s": "string", "r": "string",
	"y": "bytes", "t": "timestamp", "z": "duration", "li": "list(int)", "ls": "list(string)", "ld": "list(double)",
	"m": "map(string, int)", "k": "map(string, dyn)", "x": "dyn",
}

func environment(variables map[string]string) *cel.Env {
	options := []cel.EnvOption{
		cel.StdLib(), cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		ext.Strings(), ext.Lists(), ext.Sets(), ext.Math(), ext.Encoders(), ext.Regex(), ext.Bindings(),
		ext.TwoVarComprehensions(), ext.Network(),
		cel.Function("glob", cel.MemberOverload("string_glob_string", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType, cel.BinaryBinding(glob))),
	}
	for name, text := range variables {
		options = append(options, cel.Variable(name, typeOf(text)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic(err)
	}
	return env
}

func typeOf(text string) *cel.Type {
	switch text {
	case "int":
		return cel.IntType
	case "uint":
		return cel.UintType
	case "double":
		return cel.DoubleType
	case "bool":
		return cel.BoolType
	case "string":
		return cel.StringType
	case "bytes":
		return cel.BytesType
	case "timestamp":
		return cel.TimestampType
	case "duration":
		return cel.DurationType
	case "list(int)":
		return cel.ListType(cel.IntType)
	case "list(string)":
		return cel.ListType(cel.StringType)
	case "list(double)":
		return cel.ListType(cel.DoubleType)
	case "map(string, int)":
		return cel.MapType(cel.StringType, cel.IntType)
	case "map(string, string)":
		return cel.MapType(cel.StringType, cel.StringType)
	case "map(string, dyn)":
		return cel.MapType(cel.StringType, cel.DynType)
	}
	return cel.DynType
}

func evaluate(env *cel.Env, expr string, input map[string]json.RawMessage) (result string) {
	defer func() {
		if fault := recover(); fault != nil {
			result = "error"
		}
	}()
	ast, issues := env.Compile(expr)
	if issues != nil && issues.Err() != nil {
		return "refused"
	}
	// Not optimised: that refuses expressions for constants in parts that are never evaluated.
	program, err := env.Program(ast)
	if err != nil {
		return "refused"
	}
	activation := map[string]any{}
	for name, raw := range input {
		activation[name] = decode(raw)
	}
	value, _, err := program.Eval(activation)
	if err != nil {
		return "error"
	}
	return canonical(value)
}

func decode(raw json.RawMessage) ref.Val {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil {
		panic(err)
	}
	var kind string
	must(json.Unmarshal(pair[0], &kind))
	switch kind {
	case "list":
		var items []json.RawMessage
		must(json.Unmarshal(pair[1], &items))
		values := make([]ref.Val, len(items))
		for i, item := range items {
			values[i] = decode(item)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, values)
	case "map":
		var entries [][2]json.RawMessage
		must(json.Unmarshal(pair[1], &entries))
		values := map[ref.Val]ref.Val{}
		for _, entry := range entries {
			values[decode(entry[0])] = decode(entry[1])
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, values)
	}
	var text string
	must(json.Unmarshal(pair[1], &text))
	switch kind {
	case "null":
		return types.NullValue
	case "bool":
		return types.Bool(text == "true")
	case "int":
		value, err := strconv.ParseInt(text, 10, 64)
		must(err)
		return types.Int(value)
	case "uint":
		value, err := strconv.ParseUint(text, 10, 64)
		must(err)
		return types.Uint(value)
	case "double":
		value, err := strconv.ParseUint(text, 16, 64)
		must(err)
		return types.Double(math.Float64frombits(value))
	case "string":
		return types.String(text)
	case "bytes":
		value, err := base64.StdEncoding.DecodeString(text)
		must(err)
		return types.Bytes(value)
	case "timestamp":
		value, err := time.Parse(time.RFC3339Nano, text)
		must(err)
		return types.Timestamp{Time: value}
	case "duration":
		value, err := time.ParseDuration(text)
		must(err)
		return types.Duration{Duration: value}
	}
	panic("unknown kind " + kind)
}

// native is a value as a Go program would hold it, which cel-go reads fastest.
func native(value ref.Val) any {
	switch v := value.(type) {
	case traits.Lister:
		items := []any{}
		texts := []string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			item := it.Next()
			items = append(items, native(item))
			if text, ok := item.(types.String); ok {
				texts = append(texts, string(text))
			}
		}
		if len(texts) == len(items) {
			return texts
		}
		return items
	case traits.Mapper:
		entries := map[string]any{}
		texts := map[string]string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			item := native(v.Get(key))
			entries[string(key.(types.String))] = item
			if text, ok := item.(string); ok {
				texts[string(key.(types.String))] = text
			}
		}
		if len(texts) == len(entries) {
			return texts
		}
		return entries
	}
	return value.Value()
}

// glob is the function of that name in our language: a star stands for any characters.
func glob(text, pattern ref.Val) ref.Val {
	subject, parts := string(text.(types.String)), strings.Split(string(pattern.(types.String)), "*")
	if len(parts) == 1 {
		return types.Bool(subject == parts[0])
	}
	if !strings.HasPrefix(subject, parts[0]) {
		return types.False
	}
	subject = subject[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(subject, part)
		if at < 0 {
			return types.False
		}
		subject = subject[at+len(part):]
	}
	return types.Bool(strings.HasSuffix(subject, parts[len(parts)-1]))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func canonical(value ref.Val) string {
	switch v := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return fmt.Sprintf("bool:%t", bool(v))
	case types.Int:
		return fmt.Sprintf("int:%d", int64(v))
	case types.Uint:
		return fmt.Sprintf("uint:%d", uint64(v))
	case types.Double:
		if math.IsNaN(float64(v)) {
			return "double:nan"
		}
		return fmt.Sprintf("double:%016x", math.Float64bits(float64(v)))
	case types.String:
		return "string:" + hex.EncodeToString([]byte(string(v)))
	case types.Bytes:
		return "bytes:" + hex.EncodeToString([]byte(v))
	case types.Timestamp:
		return fmt.Sprintf("timestamp:%d.%d", v.Time.Unix(), v.Time.Nanosecond())
	case types.Duration:
		return fmt.Sprintf("duration:%d", int64(v.Duration))
	case *types.Optional:
		if v.HasValue() {
			return "optional:" + canonical(v.GetValue())
		}
		return "optional"
	case traits.Lister:
		parts := []string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, canonical(it.Next()))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case traits.Mapper:
		parts := []string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			parts = append(parts, canonical(key)+"="+canonical(v.Get(key)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case ref.Type:
		return "type:" + v.TypeName()
	}
	return "other:" + value.Type().TypeName()
}

func bench(in *bufio.Scanner, out *bufio.Writer) {
	in.Scan()
	var set struct {
		Policies []struct {
			Expr  string                     `json:"expr"`
			Input map[string]json.RawMessage `json:"input"`
			Types map[string]string          `json:"types"`
		} `json:"policies"`
	}
	must(json.Unmarshal(in.Bytes(), &set))
	programs := make([]cel.Program, len(set.Policies))
	activations := make([]any, len(set.Policies))
	for i, policy := range set.Policies {
		env := environment(policy.Types)
		ast, issues := env.Compile(policy.Expr)
		must(issues.Err())
		program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		must(err)
		input := map[string]any{}
		for name, raw := range policy.Input {
			input[name] = native(decode(raw))
		}
		activation, err := cel.NewActivation(input)
		must(err)
		programs[i], activations[i] = program, activation
		value, _, err := program.Eval(activation)
		must(err)
		if value != types.True {
			panic(fmt.Sprintf("%s is %v", policy.Expr, value))
		}
	}
	fmt.Fprintln(out, "ready")
	out.Flush()
	for in.Scan() {
		var request [2]int
		must(json.Unmarshal(in.Bytes(), &request))
		program, activation := programs[request[0]], activations[request[0]]
		start := time.Now()
		for i := 0; i < request[1]; i++ {
			if _, _, err := program.Eval(activation); err != nil {
				panic(err)
			}
		}
		fmt.Fprintf(out, "%f\n", float64(time.Since(start).Nanoseconds())/float64(request[1]))
		out.Flush()
	}
}
