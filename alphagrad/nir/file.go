package nir

import (
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/hdf5"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// version of the NIR that files are written for.
const version = "1.0.8"

// maxNodes bounds a file's graph, nested ones included, which could otherwise be made endless by links in circles.
const maxNodes = 100_000

// Read reads and checks a graph. Errors name the file and the node.
func Read(path string) (*Graph, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g, err := read(f)
	if err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// read reads a graph without checking it.
func read(f *hdf5.File) (*Graph, error) {
	root, err := f.Root()
	if err != nil {
		return nil, err
	}
	if !root.Has("node") {
		return nil, root.Errorf("not a NIR file, which has /node with a type, nodes and edges, and /version; this one has %q", root.Names())
	}
	r := reader{}
	if root.Has("version") {
		if r.version, err = scalar(root, "version"); err != nil {
			return nil, err
		}
		if major, _, _ := strings.Cut(r.version, "."); major != "0" && major != "1" {
			return nil, root.Errorf("NIR version %q is not supported; want 0 or 1", r.version)
		}
	}
	top, err := root.Group("node")
	if err != nil {
		return nil, err
	}
	n, _, err := r.node(top, 0)
	if err != nil {
		return nil, err
	}
	g, ok := n.(*Graph)
	if !ok {
		return nil, top.Errorf("a %s instead of a NIRGraph", n.Type())
	}
	g.Version = r.version
	return g, nil
}

type reader struct {
	version string
	nodes   int
}

// node reads the node that a group describes, and its metadata.
func (r *reader) node(g *hdf5.Group, depth int) (Node, map[string]any, error) {
	if r.nodes++; r.nodes > maxNodes || depth > maxNesting {
		return nil, nil, g.Errorf("more than %d nodes, or graphs nested more than %d deep", maxNodes, maxNesting)
	}
	kind, err := scalar(g, "type")
	if err != nil {
		return nil, nil, err
	}
	n, err := newNode(kind)
	if err != nil {
		return nil, nil, g.Errorf("%w", err)
	}
	if graph, ok := n.(*Graph); ok {
		err = r.graph(graph, g, depth)
	} else {
		for _, f := range n.fields() {
			if f.like != nil && !g.Has(f.name) {
				continue
			}
			if err = readField(g, f); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, nil, err
	}
	meta, err := metadata(g)
	return n, meta, err
}

func readField(g *hdf5.Group, f field) error {
	d, err := g.Dataset(f.name)
	if err != nil {
		return err
	}
	if f.shape != nil {
		*f.shape, err = d.Ints()
		return err
	}
	f.value.Shape = append([]int{}, d.Shape...)
	f.value.Data, err = d.Floats()
	return err
}

// graph reads nodes and edges.
func (r *reader) graph(to *Graph, g *hdf5.Group, depth int) error {
	to.Nodes, to.Metadata = map[string]Node{}, map[string]map[string]any{}
	nodes, err := g.Group("nodes")
	if err != nil {
		return err
	}
	for _, name := range nodes.Names() {
		sub, err := nodes.Group(name)
		if err != nil {
			return err
		}
		n, meta, err := r.node(sub, depth+1)
		if err != nil {
			return err
		}
		to.Nodes[name] = n
		if meta != nil {
			to.Metadata[name] = meta
		}
	}
	if meta, err := metadata(g); err != nil {
		return err
	} else if meta != nil {
		to.Metadata[""] = meta
	}
	d, err := g.Dataset("edges")
	if err != nil || d.Len() == 0 { // an empty list is written as one of numbers
		return err
	}
	if len(d.Shape) != 2 || d.Shape[1] != 2 {
		return d.Errorf("it has shape %v; want [edges 2]", d.Shape)
	}
	ends, err := d.Strings()
	if err != nil {
		return err
	}
	for i := 0; i < len(ends); i += 2 {
		to.Edges = append(to.Edges, Edge{ends[i], ends[i+1]})
	}
	return nil
}

// scalar reads a single string.
func scalar(g *hdf5.Group, name string) (string, error) {
	d, err := g.Dataset(name)
	if err != nil {
		return "", err
	}
	v, err := d.Strings()
	if err == nil && len(v) != 1 {
		err = d.Errorf("%d strings instead of one", len(v))
	}
	if err != nil {
		return "", err
	}
	return v[0], nil
}

// metadata reads what there is beside the parameters, as far as it is strings and numbers; nil if there is none.
func metadata(g *hdf5.Group) (map[string]any, error) {
	if !g.Has("metadata") {
		return nil, nil
	}
	m, err := g.Group("metadata")
	if err != nil {
		return nil, err
	}
	all := map[string]any{}
	for _, name := range m.Names() {
		if m.IsGroup(name) {
			continue
		}
		d, err := m.Dataset(name)
		if err != nil {
			return nil, err
		}
		switch d.Type.Class {
		case hdf5.Integer, hdf5.Float:
			v, err := d.Floats()
			if err != nil {
				return nil, err
			}
			all[name] = Array{append([]int{}, d.Shape...), v}
		case hdf5.String, hdf5.VString:
			if len(d.Shape) > 0 {
				continue
			}
			if all[name], err = scalar(m, name); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// Write checks a graph and writes it, numbers in double precision.
func Write(path string, g *Graph) error {
	data, err := Encode(g)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return runs.WriteFile(path, data)
}

// Encode returns a file's bytes. The same graph gives the same bytes.
func Encode(g *Graph) ([]byte, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	var w hdf5.Writer
	if err := w.Strings("version", nil, []string{version}); err != nil {
		return nil, err
	}
	if err := writeNode(&w, "node", g, g.Metadata[""]); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

func writeNode(w *hdf5.Writer, at string, n Node, meta map[string]any) error {
	g, ok := n.(*Graph)
	if ok && meta == nil {
		meta = g.Metadata[""]
	}
	if err := w.Strings(at+"/type", nil, []string{n.Type()}); err != nil {
		return err
	}
	for _, f := range n.fields() {
		var err error
		if f.shape != nil {
			err = w.Ints(at+"/"+f.name, []int{len(*f.shape)}, *f.shape)
		} else {
			err = w.Floats(at+"/"+f.name, f.value.Shape, f.value.Data)
		}
		if err != nil {
			return err
		}
	}
	for key, v := range meta {
		var err error
		switch v := v.(type) {
		case string:
			err = w.Strings(at+"/metadata/"+key, nil, []string{v})
		case Array:
			err = w.Floats(at+"/metadata/"+key, v.Shape, v.Data)
		default:
			err = fmt.Errorf("%s: metadata %q is a %T; want a string or an Array", at, key, v)
		}
		if err != nil {
			return err
		}
	}
	if !ok {
		return nil
	}
	if err := w.Group(at + "/nodes"); err != nil {
		return err
	}
	for _, name := range g.Names() {
		if err := writeNode(w, at+"/nodes/"+name, g.Nodes[name], g.Metadata[name]); err != nil {
			return err
		}
	}
	var ends []string
	for _, e := range g.Edges {
		ends = append(ends, e.From, e.To)
	}
	return w.Strings(at+"/edges", []int{len(g.Edges), 2}, ends)
}
