package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
)

// notes are the `+name=value` markers beside a declaration.
type notes map[string][]string

func (n notes) one(name string) string {
	if len(n[name]) == 0 {
		return ""
	}
	return n[name][0]
}

// source reads the markers that reflection does not show from the files of the modules.
type source struct {
	packages map[string]*packageSource
}

type packageSource struct {
	types     map[string]notes            // by type
	fields    map[string]map[string]notes // by type, field
	constants map[string][]string         // values by type, in order
	values    map[string]string           // by name of the constant
}

func newSource() *source { return &source{packages: map[string]*packageSource{}} }

func (s *source) notes(t reflect.Type, field string) notes {
	return s.load(t.PkgPath()).fields[t.Name()][field]
}
func (s *source) typeNotes(t reflect.Type) notes    { return s.load(t.PkgPath()).types[t.Name()] }
func (s *source) constants(t reflect.Type) []string { return s.load(t.PkgPath()).constants[t.Name()] }

// value is the JSON of a `+default=`: JSON itself, or `ref(Constant)`.
func (s *source) value(text, pkg string) json.RawMessage {
	if inner, ok := strings.CutPrefix(text, "ref("); ok {
		name := strings.TrimSuffix(inner, ")")
		value, known := s.load(pkg).values[name]
		if !known {
			log.Fatalf("%s: no constant %s", pkg, name)
		}
		return json.RawMessage(compact(value))
	}
	if !json.Valid([]byte(text)) {
		log.Fatalf("%s: default %s is no JSON", pkg, text)
	}
	return json.RawMessage(text)
}

func (s *source) load(pkg string) *packageSource {
	if p, ok := s.packages[pkg]; ok {
		return p
	}
	p := &packageSource{types: map[string]notes{}, fields: map[string]map[string]notes{}, constants: map[string][]string{}, values: map[string]string{}}
	s.packages[pkg] = p
	folder, err := exec.Command("go", "list", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		log.Fatalf("go list %s: %v", pkg, err)
	}
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(folder)), "*.go"))
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(filepath.Base(path), "generated") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			log.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			if general, ok := declaration.(*ast.GenDecl); ok {
				p.read(general)
			}
		}
	}
	return p
}

func (p *packageSource) read(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = d.Doc
			}
			p.types[s.Name.Name] = markers(doc)
			if body, ok := s.Type.(*ast.StructType); ok {
				p.readFields(s.Name.Name, body)
			}
		case *ast.ValueSpec:
			for i, name := range s.Names {
				if i >= len(s.Values) {
					continue
				}
				kind, _ := s.Type.(*ast.Ident)
				expression := s.Values[i]
				if call, ok := expression.(*ast.CallExpr); ok && len(call.Args) == 1 { // Kind("value") says the type too
					kind, _ = call.Fun.(*ast.Ident)
					expression = call.Args[0]
				}
				literal, ok := expression.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				value := strings.Trim(literal.Value, "\"`")
				p.values[name.Name] = value
				if kind != nil {
					p.constants[kind.Name] = append(p.constants[kind.Name], value)
				}
			}
		}
	}
}

func (p *packageSource) readFields(name string, body *ast.StructType) {
	fields := map[string]notes{}
	for _, f := range body.Fields.List {
		for _, ident := range f.Names {
			fields[ident.Name] = markers(f.Doc)
		}
		if len(f.Names) == 0 { // embedded: called like its type
			name := f.Type
			if selector, ok := name.(*ast.SelectorExpr); ok {
				name = selector.Sel
			}
			if ident, ok := name.(*ast.Ident); ok {
				fields[ident.Name] = markers(f.Doc)
			}
		}
	}
	p.fields[name] = fields
}

func markers(doc *ast.CommentGroup) notes {
	found := notes{}
	if doc == nil {
		return found
	}
	for _, line := range doc.List {
		text, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(line.Text, "//")), "+")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		found[name] = append(found[name], value)
	}
	return found
}
