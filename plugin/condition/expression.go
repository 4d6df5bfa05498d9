package condition

import (
	"fmt"
	"maps"
	"net/http"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"

	"github.com/grapnel-gateway/grapnel"
)

// maxCost bounds an expression, in the units of CEL, which are about one step
// each: at load for the largest exchange there can be, and again while it runs.
const maxCost = 100_000

// An expression is a compiled when.
type expression struct {
	program   cel.Program
	variables map[string]variable
}

// compile checks an expression of the stage: its names, its types, its cost.
func compile(text string, stage grapnel.Stage) (*expression, error) {
	e := &expression{variables: ofRequests()}
	if stage == grapnel.Response {
		maps.Copy(e.variables, ofReplies())
	}
	options := []cel.EnvOption{cel.OptionalTypes(), cel.ParserExpressionSizeLimit(longestText)}
	for name, v := range e.variables {
		options = append(options, cel.Variable(name, v.typ))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if found := issues.Errors(); len(found) > 0 { // the first one; others often follow from it
		return nil, fmt.Errorf("column %d: %s", found[0].Location.Column()+1, found[0].Message)
	}
	if t := ast.OutputType(); !t.IsExactType(types.BoolType) {
		return nil, fmt.Errorf("gives %s, not true or false", t)
	}
	estimate, err := env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, err
	}
	if estimate.Max > maxCost {
		return nil, fmt.Errorf("may cost %d steps, and %d is the most: nested loops over lists and maps, and searches in long texts, cost much", estimate.Max, maxCost)
	}
	e.program, err = env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	return e, err
}

// holds evaluates the expression; a failure counts as true.
func (e *expression) holds(x *grapnel.Exchange, reply *http.Response) bool {
	value, _, err := e.program.Eval(&exchange{x: x, reply: reply, variables: e.variables})
	return err != nil || value != types.False
}

// sizes tells CEL how large the variables can be.
type sizes struct{}

// The largest sizes that exchanges are expected to have, in characters and
// entries.
const (
	longestText = 4096
	mostEntries = 100
)

// EstimateSize implements [cost.Estimator].
func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if len(node.Path()) == 0 {
		return nil // of something that is computed
	}
	most := uint64(longestText)
	switch node.Type().Kind() {
	case types.MapKind, types.ListKind:
		most = mostEntries
	}
	return &cost.SizeEstimate{Min: 0, Max: most}
}

// EstimateCallCost implements [cost.Estimator]: functions cost what CEL says.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
