"""Training ensembles of finite networks: `fit` trains, `methods` names the trainers and their options."""
