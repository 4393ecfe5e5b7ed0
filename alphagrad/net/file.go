package net

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// A model file is
//
//	alphagrad-net/1\n
//	{"model":"gnn","width":32,"rounds":3,"features":1,"tensors":[{"name":"embed/weights","shape":[32,32]},…]}\n
//	numbers of the tensors in that order, row-major, float32, little-endian
//	SHA-256 of all before
//
// A training checkpoint has "training":{"step":N} in its header, and two more sets of numbers behind the weights: the
// optimiser's decaying means of the gradient and of its square. It can be loaded as a model too.
const fileMagic = "alphagrad-net/"
const fileVersion = "1"

type fileHeader struct {
	Model    string        `json:"model"`
	Width    int           `json:"width"`
	Rounds   int           `json:"rounds"`
	Features int           `json:"features"` // FeatureVersion
	Training *fileTraining `json:"training,omitempty"`
	Tensors  []fileTensor  `json:"tensors"`
}

type fileTraining struct {
	Step int `json:"step"`
}

type fileTensor struct {
	Name  string `json:"name"`
	Shape [2]int `json:"shape"`
}

// maxFile is more than the file of the largest Spec needs: reading stops there rather than fill the memory.
const maxFile = 256 << 20

// Save writes the network to a file, which appears or is replaced in one step.
func (n *Network) Save(path string) error {
	return saveFile(path, encodeFile(n, nil))
}

// Load reads a network from a file of Network.Save or Trainer.Save. Errors name the file and say what is wrong with
// it: not a model file, of another version, truncated, damaged, or of a network with other features, another shape or
// an unknown model.
func Load(path string) (*Network, error) {
	n, _, err := loadFile(path)
	return n, err
}

// Save writes a checkpoint from which LoadTrainer continues exactly. It replaces the file in one step.
func (t *Trainer) Save(path string) error {
	return saveFile(path, encodeFile(t.network, &t.adam))
}

// LoadTrainer continues the training saved in a checkpoint. A plain model has no state of the optimiser and is
// refused; NewTrainer starts from it.
func LoadTrainer(path string, config TrainerConfig) (*Trainer, error) {
	n, a, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, fmt.Errorf("model file %s: it holds a network but not the state of its training, expected a checkpoint", path)
	}
	return newTrainer(n, config, *a)
}

// Read is Load from a stream.
func Read(r io.Reader) (*Network, error) {
	n, _, err := readFile(r)
	return n, err
}

// Write is Save to a stream.
func (n *Network) Write(w io.Writer) error {
	_, err := w.Write(encodeFile(n, nil))
	return err
}

func encodeFile(n *Network, a *adam) []byte {
	h := fileHeader{Model: n.spec.Model, Width: n.spec.Width, Rounds: n.spec.Rounds, Features: FeatureVersion}
	sets := [][]float32{n.weights}
	if a != nil {
		h.Training = &fileTraining{a.step}
		sets = append(sets, a.mean, a.variance)
	}
	for _, p := range n.params {
		h.Tensors = append(h.Tensors, fileTensor{p.name, [2]int{p.rows, p.cols}})
	}
	header, err := json.Marshal(h)
	if err != nil {
		panic(err) // numbers and strings always can be
	}
	data := append([]byte(fileMagic+fileVersion+"\n"), header...)
	data = append(data, '\n')
	for _, set := range sets {
		for _, x := range set {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

func loadFile(path string) (*Network, *adam, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("model file: %w", err)
	}
	defer f.Close()
	n, a, err := readFile(f)
	if err != nil {
		return nil, nil, fmt.Errorf("model file %s: %w", path, err)
	}
	return n, a, nil
}

func readFile(r io.Reader) (*Network, *adam, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxFile {
		return nil, nil, fmt.Errorf("larger than %d bytes, more than any network needs", maxFile)
	}
	version, rest, complete := bytes.Cut(data, []byte("\n"))
	version, ours := bytes.CutPrefix(version, []byte(fileMagic))
	switch {
	case !complete && bytes.HasPrefix([]byte(fileMagic+fileVersion), data):
		return nil, nil, fmt.Errorf("truncated: it ends after %d bytes", len(data))
	case !ours:
		return nil, nil, fmt.Errorf("not a model file: expected it to begin with %q", fileMagic+fileVersion)
	case string(version) != fileVersion:
		return nil, nil, fmt.Errorf("format version %q: this program reads version %s", cut(string(version)), fileVersion)
	}
	line, body, complete := bytes.Cut(rest, []byte("\n"))
	if !complete {
		return nil, nil, errors.New("truncated: it ends within the header")
	}
	n, training, err := parseHeader(line)
	if err != nil {
		return nil, nil, err
	}
	sets := 1
	if training != nil {
		sets = 3
	}
	if want := sets*4*n.Size() + sha256.Size; len(body) < want {
		return nil, nil, fmt.Errorf("truncated: %d of %d bytes are missing", want-len(body), len(data)+want-len(body))
	} else if len(body) > want {
		return nil, nil, fmt.Errorf("%d bytes too long", len(body)-want)
	}
	end := len(data) - sha256.Size
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, nil, errors.New("damaged: its contents do not match their checksum")
	}
	next := func() []float32 {
		set := make([]float32, n.Size())
		for i := range set {
			set[i] = math.Float32frombits(binary.LittleEndian.Uint32(body))
			body = body[4:]
		}
		return set
	}
	n.weights = next()
	for _, p := range n.params {
		for i, x := range n.tensor(p.name) {
			if !finite(x) {
				return nil, nil, fmt.Errorf("tensor %s: number %d is %v", p.name, i, x)
			}
		}
	}
	if training == nil {
		return n, nil, nil
	}
	a := &adam{step: training.Step, mean: next(), variance: next()}
	for i := range a.mean {
		if !finite(a.mean[i]) || !finite(a.variance[i]) || a.variance[i] < 0 {
			return nil, nil, fmt.Errorf("optimiser state of weight %d is %v and %v", i, a.mean[i], a.variance[i])
		}
	}
	return n, a, nil
}

// parseHeader returns a network of the shape in the header, without weights.
func parseHeader(line []byte) (*Network, *fileTraining, error) {
	var h fileHeader
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if h.Features != FeatureVersion {
		return nil, nil, fmt.Errorf("trained on version %d of the features, this program computes version %d: train anew, or use the program it was made with",
			h.Features, FeatureVersion)
	}
	n, err := blank(Spec{Model: h.Model, Width: h.Width, Rounds: h.Rounds})
	if err != nil {
		return nil, nil, err
	}
	if h.Training != nil && h.Training.Step < 0 {
		return nil, nil, fmt.Errorf("header: %d training steps", h.Training.Step)
	}
	for i, p := range n.params {
		if i >= len(h.Tensors) {
			return nil, nil, fmt.Errorf("header: tensor %s is missing", p.name)
		}
		if t := h.Tensors[i]; t.Name != p.name || t.Shape != [2]int{p.rows, p.cols} {
			return nil, nil, fmt.Errorf("header: tensor %d is %s of shape %v, expected %s of shape %v", i, cut(t.Name), t.Shape, p.name, [2]int{p.rows, p.cols})
		}
	}
	if extra := len(h.Tensors) - len(n.params); extra > 0 {
		return nil, nil, fmt.Errorf("header: %d tensors too many", extra)
	}
	return n, h.Training, nil
}

// cut shortens text from a file for an error.
func cut(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// saveFile writes data to a temporary file beside path, flushes it to the disk and gives it its name.
func saveFile(path string, data []byte) error {
	dir, base := filepath.Split(path)
	if base == "" {
		return fmt.Errorf("cannot write model file %q: it names a directory", path)
	}
	temporary := filepath.Join(dir, "."+base+".tmp-"+strconv.FormatUint(rand.Uint64(), 36))
	err := writeSynced(temporary, data)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		if removed := os.Remove(temporary); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
		return fmt.Errorf("write model file %s: %w", path, err)
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
