// CppADCodeGen: reads problems from standard input and writes C of value and Jacobian into the directory of the argument.
//
//   problem NAME INPUTS NODES
//   X…                  a point of the domain: CppAD refuses to record a function where it is no number
//   OP ARG…             one line a node; an argument is a value's number (inputs first, then nodes) or c with a constant
//   outputs ARG…
//
// For each it writes cppad_NAME_TYPE.inc and prints "NAME INDEX…": the row-major places of the entries that are computed,
// those that can differ from zero.

#include <cmath>
#include <cppad/cg.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

using CppAD::cg::CG;
typedef CG<double> Base;
typedef CppAD::AD<Base> Number;

static Number unary(const std::string &op, const Number &x) {
    if (op == "neg") return -x;
    if (op == "sqrt") return sqrt(x);
    if (op == "exp") return exp(x);
    if (op == "expm1") return expm1(x);
    if (op == "log") return log(x);
    if (op == "log1p") return log1p(x);
    if (op == "erf") return erf(x);
    if (op == "abs") return fabs(x);
    if (op == "sin") return sin(x);
    if (op == "cos") return cos(x);
    if (op == "tan") return tan(x);
    if (op == "asin") return asin(x);
    if (op == "acos") return acos(x);
    if (op == "atan") return atan(x);
    if (op == "sinh") return sinh(x);
    if (op == "cosh") return cosh(x);
    if (op == "tanh") return tanh(x);
    if (op == "asinh") return asinh(x);
    if (op == "acosh") return acosh(x);
    if (op == "atanh") return atanh(x);
    throw std::runtime_error("op " + op + " has no form in CppAD");
}

static Number binary(const std::string &op, const Number &x, const Number &y) {
    if (op == "add") return x + y;
    if (op == "sub") return x - y;
    if (op == "mul") return x * y;
    if (op == "div") return x / y;
    if (op == "pow") return pow(x, y);
    if (op == "atan2" && CppAD::Constant(x) && CppAD::Value(x).getValue() != 0) { // where CppAD's own loses y
        double c = CppAD::Value(x).getValue();
        return Number(Base(c > 0 ? M_PI_2 : -M_PI_2)) - atan(y / x);
    }
    if (op == "atan2") return atan2(x, y);
    throw std::runtime_error("op " + op + " has no form in CppAD");
}

static Number argument(const std::string &text, const std::vector<Number> &v) {
    if (text[0] == 'c') return Number(Base(std::strtod(text.c_str() + 1, nullptr)));
    return v.at(std::stoul(text));
}

static void generate(const std::string &directory, const std::string &name, size_t inputs, size_t nodes) {
    std::string line, op, a, b;
    std::vector<Number> x, y;
    std::getline(std::cin, line);
    for (std::istringstream point(line); point >> a;) x.push_back(Number(Base(std::strtod(a.c_str(), nullptr))));
    if (x.size() != inputs) throw std::runtime_error("the point has the wrong length");
    CppAD::Independent(x);
    std::vector<Number> v(x);
    for (size_t i = 0; i < nodes; i++) {
        std::getline(std::cin, line);
        std::istringstream words(line);
        words >> op >> a;
        v.push_back(words >> b ? binary(op, argument(a, v), argument(b, v)) : unary(op, argument(a, v)));
    }
    std::getline(std::cin, line);
    std::istringstream words(line);
    for (words >> op; words >> a;) y.push_back(argument(a, v));

    CppAD::ADFun<Base> f(x, y);
    f.optimize("no_conditional_skip"); // what is skipped is decided at the recorded point
    CppAD::cg::CodeHandler<double> handler;
    std::vector<Base> at(inputs);
    handler.makeVariables(at);
    std::vector<Base> results = f.Forward(0, at), jacobian = f.Jacobian(at);
    std::cout << name;
    for (size_t i = 0; i < jacobian.size(); i++) {
        if (jacobian[i].isParameter() && jacobian[i].getValue() == 0) continue;
        results.push_back(jacobian[i]);
        std::cout << ' ' << i;
    }
    std::cout << std::endl;
    for (const char *real : {"double", "float"}) {
        CppAD::cg::LanguageC<double> language(real);
        language.setParameterPrecision(17);
        language.setGenerateFunction("cppad_function");
        CppAD::cg::LangCDefaultVariableNameGenerator<double> names;
        std::ofstream out(directory + "/cppad_" + name + (real[0] == 'd' ? "_float64.inc" : "_float32.inc"));
        std::ostringstream body;
        handler.generateCode(body, language, results, names);
        out << body.str();
    }
}

int main(int, char **argv) {
    std::string line, word, name;
    size_t inputs, nodes;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        words >> word >> name >> inputs >> nodes;
        try {
            generate(argv[1], name, inputs, nodes);
        } catch (const std::exception &e) {
            std::cerr << name << ": " << e.what() << std::endl;
            return 1;
        }
    }
}
